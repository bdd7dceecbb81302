import { describe, expect, test } from '@jest/globals';
import {
  createPersonalAccessToken,
  formatPersonalAccessToken,
  isTokenId,
  parsePersonalAccessToken,
} from '../../src/token-service/personal-access-token.js';

const SECRET = 'A'.repeat(43);

/** CRC-32 by its definition, bit by bit, and base 62 by long division. */
function checksum(text: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  let rest = BigInt((crc ^ 0xffffffff) >>> 0);
  let digits = '';
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  for (let i = 0; i < 6; i++, rest /= 62n) digits = alphabet[Number(rest % 62n)]! + digits;
  return digits;
}

describe('formatPersonalAccessToken()', () => {
  test('prefix, id, dot, secret, and the checksum of all before it, padded with 0', () => {
    for (let i = 0; i < 200; i++) {
      const text = `pat_id${i}.${SECRET}`;
      const token = formatPersonalAccessToken('pat_', { tokenId: `id${i}`, secret: SECRET });
      expect(token).toBe(text + checksum(text));
    }
  });
});

describe('parsePersonalAccessToken()', () => {
  test.each(['a', 'A-_9', 'x'.repeat(64), 'pat_', '0123456789ABCDEFGHIJkl'])(
    'takes the id %s back',
    (tokenId) => {
      const token = { tokenId, secret: createPersonalAccessToken(undefined).secret };
      expect(parsePersonalAccessToken(formatPersonalAccessToken('pat_', token), 'pat_')).toEqual(token);
    },
  );

  const good = formatPersonalAccessToken('pat_', { tokenId: 'robot', secret: SECRET });
  const sealed = (text: string) => text + checksum(text);
  test.each([
    ['a wrong checksum', good.slice(0, -1) + (good.endsWith('0') ? '1' : '0')],
    ['a checksum in another case', good.slice(0, -6) + good.slice(-6).toLowerCase().toUpperCase() + 'x'],
    ['another prefix', sealed(`tok_robot.${SECRET}`)],
    ['no prefix', sealed(`robot.${SECRET}`)],
    ['no id', sealed(`pat_.${SECRET}`)],
    ['an id of 65 characters', sealed(`pat_${'x'.repeat(65)}.${SECRET}`)],
    ['an id with a dot', sealed(`pat_a.b.${SECRET}`)],
    ['a short secret', sealed(`pat_robot.${'A'.repeat(42)}`)],
    ['a long secret', sealed(`pat_robot.${'A'.repeat(44)}`)],
    ['standard base64', sealed(`pat_robot.${'A'.repeat(42)}+`)],
    ['a blank', ` ${good}`],
    ['a line feed at the end', `${good}\n`],
    ['letters beyond ASCII', sealed(`pat_röbot.${SECRET}`)],
    ['nothing', ''],
    ['megabytes', 'pat_'.repeat(1_000_000)],
  ])('refuses %s', (_name, text) => {
    expect(parsePersonalAccessToken(text, 'pat_')).toBeUndefined();
  });
});

describe('createPersonalAccessToken()', () => {
  test('an id of 22 letters and digits, a secret of 32 random bytes', () => {
    const { tokenId, secret } = createPersonalAccessToken(undefined);
    expect(tokenId).toMatch(/^[A-Za-z0-9]{22}$/);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  });

  test('bytes that would favour some letters are left out', () => {
    const bytes = [Buffer.alloc(22, 255), Buffer.alloc(22, 247), Buffer.alloc(32, 1)];
    expect(createPersonalAccessToken(undefined, () => bytes.shift()!).tokenId).toBe('z'.repeat(22));
  });

  test('a chosen id is kept', () => expect(createPersonalAccessToken('mine').tokenId).toBe('mine'));
});

describe('isTokenId()', () => {
  test.each([
    ['a', true],
    ['x'.repeat(64), true],
    ['', false],
    ['x'.repeat(65), false],
    ['a b', false],
    ['a.b', false],
    ['a\n', false],
  ])('%j: %s', (text, expected) => expect(isTokenId(text)).toBe(expected));
});

import { describe, expect, test } from '@jest/globals';
import { createTokenSealer, isSealedOutline, SEALED_PREFIX } from '../../src/signing/sealed-token.js';

const sealer = (...secrets: string[]) => createTokenSealer({ secrets, maxBytes: 8192 });

describe('createTokenSealer()', () => {
  test('opens what it sealed, and no two are alike', () => {
    const one = sealer('a'.repeat(32));
    const text = one.seal('{"sub":"ü"}');
    expect(one.open(text)).toBe('{"sub":"ü"}');
    expect(one.seal('{"sub":"ü"}')).not.toBe(text);
    expect(text).toMatch(/^pst_[A-Za-z0-9_-]+$/);
    expect(isSealedOutline(text)).toBe(true);
  });

  test('the first secret seals, all open', () => {
    const old = sealer('a'.repeat(32));
    const both = sealer('b'.repeat(32), 'a'.repeat(32));
    expect(both.open(old.seal('x'))).toBe('x');
    expect(old.open(both.seal('x'))).toBeUndefined();
    expect(sealer('b'.repeat(32)).open(both.seal('x'))).toBe('x');
  });

  test('refuses a change of any one bit', () => {
    const one = sealer('a'.repeat(32));
    const bytes = Buffer.from(one.seal('payload').slice(SEALED_PREFIX.length), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(one.open(SEALED_PREFIX + changed.toString('base64url'))).toBeUndefined();
    }
  });

  test.each([
    ['nothing', ''],
    ['the prefix alone', 'pst_'],
    ['too short', 'pst_AAAA'],
    ['not canonical', 'pst_AB'],
    ['too long', `pst_${'A'.repeat(9000)}`],
    ['another prefix', 'xxx_AAAA'],
  ])('refuses %s', (_name, text) => expect(sealer('a'.repeat(32)).open(text)).toBeUndefined());

  test('needs a secret', () => expect(() => sealer()).toThrow(TypeError));
});

describe('isSealedOutline()', () => {
  test.each([
    ['eyJ.a.b', false],
    ['pat_id.secret', false],
    ['pst_id.secret', false],
    ['pst_abc', true],
  ])('%s: %s', (text, expected) => expect(isSealedOutline(text)).toBe(expected));
});

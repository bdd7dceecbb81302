import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  lstatSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { parseSigningKeySet, publishedKeysOf, type SigningKeySet } from '../../src/signing/key-set.js';
import { rotateKeySet } from '../../src/signing/rotate.js';
import { runCommand } from '../cli/run-command.js';

const NOW_S = 1_800_000_000;
const kids = (set: SigningKeySet) => set.public_keys.map(({ kid }) => kid);

describe('rotateKeySet()', () => {
  test('the new key signs, the old public key stays, the old private key goes', async () => {
    const old = await generateSigningKeys('EdDSA', 'a');
    const set = rotateKeySet(old, { next: await generateSigningKeys('ES256', 'b'), nowS: NOW_S, keepS: 60 });
    expect(parseSigningKeySet(set)).toEqual({ value: set });
    expect(set).toMatchObject({ active_kid: 'b', private_keys: [{ kid: 'b' }] });
    expect(set.private_keys).toHaveLength(1);
    expect(kids(set)).toEqual(['b', 'a']);
    expect(JSON.stringify(publishedKeysOf(set))).not.toContain('retired');
  });

  test('a key stays for as long as it is asked to, from its own retirement on', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((kid) => generateSigningKeys('EdDSA', kid)));
    const once = rotateKeySet(a!, { next: b!, nowS: NOW_S, keepS: 60 });
    expect(kids(rotateKeySet(once, { next: c!, nowS: NOW_S + 60, keepS: 60 }))).toEqual(['c', 'b', 'a']);
    expect(kids(rotateKeySet(once, { next: c!, nowS: NOW_S + 61, keepS: 60 }))).toEqual(['c', 'b']);
  });

  test('refuses a kid that is taken', async () => {
    const set = await generateSigningKeys('EdDSA', 'a');
    expect(() => rotateKeySet(set, { next: set, nowS: NOW_S, keepS: 60 })).toThrow(RangeError);
  });
});

describe('runKeysRotate()', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rotate-'));
    file = join(folder, 'keys.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = async () =>
    writeFileSync(file, JSON.stringify(await generateSigningKeys('ES256', 'first')), { mode: 0o644 });
  const read = () => JSON.parse(readFileSync(file, 'utf8')) as SigningKeySet;

  test('replaces the file as a whole, for its owner alone, with a key of the same algorithm', async () => {
    await write();
    const { code, out, err } = await runCommand(['keys', 'rotate', file]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const set = read();
    expect(kids(set)).toEqual([set.active_kid, 'first']);
    expect(set.private_keys).toMatchObject([{ alg: 'ES256' }]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['keys.json']);
    expect(out).not.toContain(String(set.private_keys[0]?.d));
  });

  test('follows a link and leaves it', async () => {
    await write();
    const link = join(folder, 'link.json');
    symlinkSync(file, link);
    expect((await runCommand(['keys', 'rotate', '--keys', link, '--kid', 'second'])).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(read().active_kid).toBe('second');
  });

  test.each([
    ['no file', () => undefined, ['keys', 'rotate', '/does/not/exist'], 1],
    ['a file that is no key set', () => writeFileSync(file, '{"d":"hush"}'), undefined, 1],
    ['a file that is not JSON', () => writeFileSync(file, 'hush'), undefined, 1],
    ['no argument', () => undefined, ['keys', 'rotate'], 2],
    ['a kid that is taken', write, ['--kid', 'first'], 1],
    ['a bad duration', write, ['--keep', 'soon'], 2],
  ])('%s: fails and changes nothing', async (_name, prepare, args, code) => {
    await prepare();
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const full = args?.[0] === 'keys' ? args : ['keys', 'rotate', file, ...(args ?? [])];
    const result = await runCommand(full);
    expect(result.code).toBe(code);
    expect(result.err).not.toContain('hush');
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });

  test('a folder that cannot be written leaves the old file', async () => {
    if (process.getuid?.() === 0) return;
    await write();
    chmodSync(folder, 0o500);
    const result = await runCommand(['keys', 'rotate', file]);
    chmodSync(folder, 0o700);
    expect(result.code).toBe(1);
    expect(read().active_kid).toBe('first');
  });
});

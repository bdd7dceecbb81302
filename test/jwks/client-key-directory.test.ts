import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openClientKeyDirectory, type ClientKeyDirectory } from '../../src/jwks/client-key-directory.js';
import { silentLogger, systemClock } from '../../src/ports.js';
import { until } from '../support/until.js';

const pem = (): string =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
const privatePem = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

let root: string;
let dir: string;
let opened: ClientKeyDirectory[];
let lines: string[];
let refused: number;

function open(over: { readonly pollMs?: number } = {}): ClientKeyDirectory {
  const note = (fields: object): void => void lines.push(JSON.stringify(fields));
  const one = openClientKeyDirectory({
    dir,
    clock: systemClock,
    logger: { ...silentLogger, warn: note, error: note },
    metrics: {
      clientKeyFileRefused: () => {
        refused++;
      },
    },
    // No poll: a test looks when it wants to.
    pollMs: 1_000_000,
    ...over,
  });
  opened.push(one);
  return one;
}

const put = (name: string, text: string): void => writeFileSync(join(dir, name), text);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-clients-'));
  dir = join(root, 'clients');
  mkdirSync(dir);
  opened = [];
  lines = [];
  refused = 0;
});
afterEach(() => {
  for (const one of opened) one.close();
  rmSync(root, { recursive: true });
});

describe('openClientKeyDirectory()', () => {
  test('find() returns keys and session parameters by the name of the file', () => {
    put('orders.pem', pem() + pem());
    put('orders.yaml', 'tenant: acme\n');
    put('plain@example.com.pem', pem());
    const keys = open();
    expect(keys.size).toBe(2);
    expect(keys.find('orders')?.keys).toHaveLength(2);
    expect(keys.find('orders')?.session).toEqual({ tenant: 'acme' });
    expect(Object.keys(keys.find('plain@example.com')?.session ?? { x: 1 })).toEqual([]);
  });

  test.each([
    ['an unknown client', 'other'],
    ['nothing', ''],
    ['a path', '../clients/orders'],
    ['an absolute path', '/etc/passwd'],
    ['another case', 'Orders'],
    ['a leading dot', '.hidden'],
    ['dots', '..'],
    ['a null character', 'orders\0'],
    ['a line break', 'orders\n'],
    ['the whole file name', 'orders.pem'],
    ['too long a name', 'a'.repeat(129)],
    ['a name of Object', '__proto__'],
    ['another alphabet', 'оrders'],
  ])('find() knows nothing of %s', (_name, value) => {
    put('orders.pem', pem());
    put('.hidden.pem', pem());
    expect(open().find(value)).toBeUndefined();
  });

  test('find() distinguishes clients by case, and takes session parameters of exactly the same name', () => {
    put('Orders.pem', pem());
    put('orders.pem', pem());
    put('orders.yaml', 'tenant: small\n');
    const keys = open();
    expect(keys.find('Orders')?.session).toEqual(Object.create(null));
    expect(keys.find('orders')?.session).toEqual({ tenant: 'small' });
  });

  test('a change is another generation, and a look that finds nothing new is not', () => {
    put('a.pem', pem());
    const keys = open();
    const first = keys.find('a');
    const text = pem();
    put('a.pem', text);
    keys.check();
    const second = keys.find('a');
    expect(second?.generation).not.toBe(first?.generation);
    put('a.pem', text);
    keys.check();
    expect(keys.find('a')).toBe(second);
    put('a.yaml', 'x: 1\n');
    keys.check();
    expect(keys.find('a')?.generation).not.toBe(second?.generation);
  });

  test('a removed client is gone, and is another generation when it comes back', () => {
    const text = pem();
    put('a.pem', text);
    put('b.pem', pem());
    const keys = open();
    const before = keys.find('a')?.generation;
    unlinkSync(join(dir, 'a.pem'));
    keys.check();
    expect(keys.find('a')).toBeUndefined();
    expect(keys.find('b')).toBeDefined();
    put('a.pem', text);
    keys.check();
    expect(keys.find('a')?.generation).not.toBe(before);
  });

  test('removed session parameters are gone', () => {
    put('a.pem', pem());
    put('a.yaml', 'x: 1\n');
    const keys = open();
    unlinkSync(join(dir, 'a.yaml'));
    keys.check();
    expect(keys.find('a')?.session).toEqual(Object.create(null));
  });

  test.each([
    ['nothing', ''],
    ['half a key', pem().slice(0, 70)],
    ['a private key', privatePem],
    ['more than 64 KiB', pem() + '#'.repeat(65_536)],
  ])(
    'a file of keys that becomes %s serves its last good content, is logged and counted once',
    (_name, text) => {
      put('a.pem', pem());
      const keys = open();
      const good = keys.find('a');
      put('a.pem', text);
      keys.check();
      keys.check();
      expect(keys.find('a')).toBe(good);
      expect(refused).toBe(1);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('a.pem');
      put('a.pem', pem());
      keys.check();
      expect(keys.find('a')?.generation).not.toBe(good?.generation);
    },
  );

  test('a file of keys that was never good makes no client', () => {
    put('a.pem', privatePem);
    const keys = open();
    expect(keys.find('a')).toBeUndefined();
    expect(keys.size).toBe(0);
  });

  test('session parameters that cannot be parsed serve their last good content', () => {
    put('a.pem', pem());
    put('a.yaml', 'x: 1\n');
    const keys = open();
    put('a.yaml', 'x: [\n');
    keys.check();
    expect(keys.find('a')?.session).toEqual({ x: 1 });
    expect(refused).toBe(1);
  });

  test('session parameters that were never good leave the client unknown: a policy may need them', () => {
    put('a.pem', pem());
    put('a.yaml', 'x: [\n');
    const keys = open();
    expect(keys.find('a')).toBeUndefined();
    put('a.yaml', 'x: 1\n');
    keys.check();
    expect(keys.find('a')?.session).toEqual({ x: 1 });
  });

  test('links within the folder are followed, as those of a ConfigMap', () => {
    const text = pem();
    for (const version of ['..1', '..2']) mkdirSync(join(dir, version));
    writeFileSync(join(dir, '..1', 'a.pem'), text);
    writeFileSync(join(dir, '..2', 'a.pem'), pem());
    symlinkSync('..1', join(dir, '..data'));
    symlinkSync('..data/a.pem', join(dir, 'a.pem'));
    const keys = open();
    const before = keys.find('a');
    expect(before).toBeDefined();
    symlinkSync('..2', join(dir, '..new'));
    renameSync(join(dir, '..new'), join(dir, '..data'));
    keys.check();
    expect(keys.find('a')?.generation).not.toBe(before?.generation);
  });

  test.each([
    ['a file beside the folder', () => '../outside.pem'],
    ['an absolute path', () => join(root, 'outside.pem')],
    ['a folder whose name begins alike', () => '../clients-2/outside.pem'],
  ])('a link that leads to %s is refused', (_name, target) => {
    mkdirSync(join(root, 'clients-2'));
    for (const path of ['outside.pem', 'clients-2/outside.pem']) writeFileSync(join(root, path), pem());
    symlinkSync(target(), join(dir, 'a.pem'));
    const keys = open();
    expect(keys.find('a')).toBeUndefined();
    expect(lines.join()).toContain('leads out');
  });

  test('a folder, a pipe and a dangling link are no files of keys', () => {
    mkdirSync(join(dir, 'a.pem'));
    symlinkSync('missing', join(dir, 'b.pem'));
    symlinkSync('c.pem', join(dir, 'c.pem'));
    expect(open().size).toBe(0);
  });

  test('a missing folder has no clients until it is there', () => {
    rmSync(dir, { recursive: true });
    const keys = open();
    expect(keys.size).toBe(0);
    expect(lines.join()).toContain('missing');
    mkdirSync(dir);
    put('a.pem', pem());
    keys.check();
    expect(keys.find('a')).toBeDefined();
    rmSync(dir, { recursive: true });
    keys.check();
    expect(keys.find('a')).toBeUndefined();
  });

  test('a folder that cannot be listed keeps what is known', () => {
    put('a.pem', pem());
    const keys = open();
    // A file in place of the folder cannot be listed either, whoever asks.
    renameSync(dir, join(root, 'away'));
    writeFileSync(dir, '');
    chmodSync(dir, 0);
    keys.check();
    expect(keys.find('a')).toBeDefined();
    rmSync(dir);
    renameSync(join(root, 'away'), dir);
  });

  test.each([
    ['events', { pollMs: 1_000_000 }],
    ['polling', { pollMs: 50 }],
  ])('changes count without being asked for: %s', async (_name, over) => {
    put('a.pem', pem());
    const keys = open(over);
    put('b.pem', pem());
    await until(() => keys.find('b') !== undefined);
    unlinkSync(join(dir, 'a.pem'));
    await until(() => keys.find('a') === undefined);
  });
});

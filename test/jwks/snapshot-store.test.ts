import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSnapshotStore, type SnapshotOwner } from '../../src/jwks/snapshot-store.js';
import { type Logger, silentLogger } from '../../src/ports.js';

const owner: SnapshotOwner = { issuer: 'https://issuer.example/../x', source: { kind: 'discovery' } };
const snapshot = { jwks: { keys: [{ kty: 'EC', kid: 'k1' }] }, fetchedAtMs: 1000, ttlMs: 60_000 };
let root: string;
let dir: string;
let warnings: object[];
const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'snapshots-'));
  dir = join(root, 'keys');
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = async (): Promise<string> => {
  const store = createSnapshotStore(dir, { logger });
  store.save(owner, snapshot);
  await store.flush();
  return join(dir, readdirSync(dir)[0] ?? '');
};
const load = (who = owner): unknown => createSnapshotStore(dir, { logger }).load(who);

describe('SnapshotStore', () => {
  test('brings back what was saved, in a file of a fixed name for the owner alone', async () => {
    const path = await write();
    expect(load()).toEqual(snapshot);
    expect(readdirSync(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  test('keeps an unknown lifetime unknown', async () => {
    const store = createSnapshotStore(dir, { logger });
    store.save(owner, { ...snapshot, ttlMs: undefined });
    await store.flush();
    expect(load()).toEqual({ ...snapshot, ttlMs: undefined });
  });

  test('writes in order, and leaves no temporary file', async () => {
    const store = createSnapshotStore(dir, { logger });
    for (let i = 1; i <= 5; i += 1) store.save(owner, { ...snapshot, fetchedAtMs: i });
    await store.flush();
    expect(load()).toMatchObject({ fetchedAtMs: 5 });
    expect(readdirSync(dir)).toHaveLength(1);
    store.remove(owner.issuer);
    await store.flush();
    expect(readdirSync(dir)).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test('says nothing where there is none', () => {
    expect(load()).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test.each<[string, string, (path: string) => void]>([
    ['cut off', 'corrupted', (path) => writeFileSync(path, readFileSync(path).subarray(0, 20))],
    ['empty', 'corrupted', (path) => writeFileSync(path, '')],
    ['binary', 'corrupted', (path) => writeFileSync(path, Buffer.alloc(100, 0xff))],
    ['an array', 'corrupted', (path) => writeFileSync(path, '[]')],
    ['null', 'corrupted', (path) => writeFileSync(path, 'null')],
    ['of another version', 'corrupted', (path) => edit(path, { version: 2 })],
    ['without time', 'corrupted', (path) => edit(path, { fetchedAtMs: '1000' })],
    ['with an odd lifetime', 'corrupted', (path) => edit(path, { ttlMs: -1 })],
    ['without key set', 'corrupted', (path) => edit(path, { jwks: [] })],
    ['of another issuer', 'another_source', (path) => edit(path, { issuer: 'https://evil.example' })],
    [
      'from another place',
      'another_source',
      (path) => edit(path, { source: { kind: 'jwksUri', jwksUri: 'https://x' } }),
    ],
    ['writable by everybody', 'writable_by_others', (path) => chmodSync(path, 0o602)],
    ['writable by a group', 'writable_by_others', (path) => chmodSync(path, 0o620)],
    ['huge', 'not_a_snapshot', (path) => writeFileSync(path, Buffer.alloc(1_048_577, ' '))],
    [
      'a link',
      'ELOOP',
      (path) => {
        writeFileSync(join(root, 'elsewhere'), readFileSync(path), { mode: 0o600 });
        rmSync(path);
        symlinkSync(join(root, 'elsewhere'), path);
      },
    ],
  ])('ignores a file that is %s, with a log line [security 11]', async (_name, reason, spoil) => {
    spoil(await write());
    expect(load()).toBeUndefined();
    expect(warnings).toEqual([{ issuer: owner.issuer, reason }]);
  });

  test('ignores a file of another user, root included [security 11]', async () => {
    const path = await write();
    const store = createSnapshotStore(dir, { logger, uid: statSync(path).uid + 1 });
    warnings = [];
    expect(store.load(owner)).toBeUndefined();
    expect(warnings).toEqual([{ issuer: owner.issuer, reason: 'another_owner' }]);
  });

  test.each([
    ['its owner alone can write', 0o700, 0],
    ['others can read', 0o755, 0],
    ['a group can write', 0o770, 1],
    ['everybody can write', 0o1777, 1],
  ])('a folder in which %s: warnings %s %i [security 11]', async (_, mode, count) => {
    await write();
    chmodSync(dir, mode);
    createSnapshotStore(dir, { logger });
    expect(warnings).toEqual(count === 0 ? [] : [{ dir }]);
    expect(load()).toEqual(snapshot);
  });

  test('warns of a folder that cannot be written, and goes on', async () => {
    writeFileSync(dir, 'in the way');
    const store = createSnapshotStore(dir, { logger });
    store.save(owner, snapshot);
    store.save(owner, snapshot);
    await store.flush();
    expect(warnings).toHaveLength(2);
  });
});

function edit(path: string, members: object): void {
  const value = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...value, ...members }));
}

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../http/http-error.js';
import { isJsonObject, type JsonObject, type Logger } from '../ports.js';
import type { FetchedSource } from './key-source.js';

/** A last good set as it lies on disk. */
export interface Snapshot {
  readonly jwks: JsonObject;
  readonly fetchedAtMs: number;
  readonly ttlMs: number | undefined;
}

/** Whose snapshot. One that was fetched from elsewhere than the configuration says now is not used. */
export interface SnapshotOwner {
  readonly issuer: string;
  readonly source: FetchedSource;
}

/** Keeps last good sets over a restart. Nothing here throws: a snapshot is a comfort. */
export interface SnapshotStore {
  /**
   * Reads a snapshot. Its keys and its age are for the caller to judge.
   *
   * @returns undefined where there is none, or none that can be trusted
   */
  load(owner: SnapshotOwner): Snapshot | undefined;
  /** Writes in the background, atomically, in order. */
  save(owner: SnapshotOwner, snapshot: Snapshot): void;
  /** Removes in the background. */
  remove(issuer: string): void;
  /** Waits for what is being written. */
  flush(): Promise<void>;
}

const VERSION = 1;
/** Above every key set that is kept: a hundred keys of 8192 bits are a fifth of it. */
const MAX_SNAPSHOT_BYTES = 1_048_576;

/** What a snapshot store needs. */
export interface SnapshotStoreOptions {
  readonly logger: Logger;
  /** Our own user; undefined: the system has none. */
  readonly uid?: number | undefined;
}

/**
 * Creates the store. A process that can write a snapshot can plant trusted keys, so only a regular file of our own user
 * that nobody else can write is read; a link or anything else is ignored. A folder in which others can write, or that
 * belongs to another user than us or root, is warned of: they can bring back an old snapshot. Does not look at the folders
 * above it.
 *
 * @param dir from the configuration; made where it is missing
 */
export function createSnapshotStore(
  dir: string,
  { logger, uid = process.getuid?.() }: SnapshotStoreOptions,
): SnapshotStore {
  let tail = Promise.resolve();
  const enqueue = (issuer: string, action: string, work: () => Promise<void>): void => {
    tail = tail.then(work).catch((error: unknown) => {
      logger.warn(
        { issuer, reason: errorCode(error) ?? 'unknown' },
        `the key snapshot could not be ${action}`,
      );
    });
  };
  warnOfFolder(dir, { logger, uid });
  return {
    load: (owner) => loadSnapshot(join(dir, fileName(owner.issuer)), owner, { logger, uid }),
    save: (owner, snapshot) => enqueue(owner.issuer, 'written', () => writeSnapshot(dir, owner, snapshot)),
    remove: (issuer) => enqueue(issuer, 'removed', () => rm(join(dir, fileName(issuer)), { force: true })),
    flush: () => tail,
  };
}

function fileName(issuer: string): string {
  return `${createHash('sha256').update(issuer).digest('hex')}.json`;
}

async function writeSnapshot(
  dir: string,
  { issuer, source }: SnapshotOwner,
  snapshot: Snapshot,
): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, fileName(issuer));
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  try {
    const { jwks, fetchedAtMs, ttlMs = null } = snapshot;
    await file.writeFile(JSON.stringify({ version: VERSION, issuer, source, fetchedAtMs, ttlMs, jwks }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function warnOfFolder(dir: string, { logger, uid }: SnapshotStoreOptions): void {
  let folder: Stats;
  try {
    folder = statSync(dir);
  } catch {
    // It is made with the first snapshot, for us alone.
    return;
  }
  const isOthers = uid !== undefined && folder.uid !== uid && folder.uid !== 0;
  if (!isOthers && !isWritableByOthers(folder)) return;
  logger.warn({ dir }, 'others can write to the folder of the key snapshots; make it 0700 and our own');
}

function isWritableByOthers({ mode }: Stats): boolean {
  return (mode & 0o022) !== 0;
}

function loadSnapshot(
  path: string,
  owner: SnapshotOwner,
  { logger, uid }: SnapshotStoreOptions,
): Snapshot | undefined {
  let reason: string;
  try {
    const found = parseSnapshot(readOwnFile(path, uid), owner);
    if (typeof found !== 'string') return found;
    reason = found;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return undefined;
    reason = code ?? 'corrupted';
  }
  logger.warn({ issuer: owner.issuer, reason }, 'the key snapshot is ignored');
  return undefined;
}

/** What is opened is what is looked at: a path could lead elsewhere by the second look. */
function readOwnFile(path: string, uid: number | undefined): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const file = fstatSync(descriptor);
    if (!file.isFile() || file.size > MAX_SNAPSHOT_BYTES) throw distrust('not_a_snapshot');
    if (uid !== undefined && file.uid !== uid) throw distrust('another_owner');
    if (isWritableByOthers(file)) throw distrust('writable_by_others');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function distrust(code: string): Error {
  return Object.assign(new Error('the snapshot is not trusted'), { code });
}

/** @returns the snapshot, or why it is none */
function parseSnapshot(text: string, owner: SnapshotOwner): Snapshot | string {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value) || value.version !== VERSION) return 'corrupted';
  const { issuer, source, fetchedAtMs, ttlMs, jwks } = value;
  if (issuer !== owner.issuer || JSON.stringify(source) !== JSON.stringify(owner.source))
    return 'another_source';
  if (!isTime(fetchedAtMs) || !(ttlMs === null || isTime(ttlMs)) || !isJsonObject(jwks)) return 'corrupted';
  return { jwks, fetchedAtMs, ttlMs: ttlMs ?? undefined };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

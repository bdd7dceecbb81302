// @ts-check
/** One process makes a file that several want. */
import { mkdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isExecutable } from './find-program.mjs';

/** The holder touches its lock, so that the lock of a process that died is known by its age. */
const HEARTBEAT_MS = 10_000;
const STALE_MS = 2 * 60_000;
const POLL_MS = 200;

/**
 * Runs `work` unless the program is there. Other processes with the same lock wait until it is, or the lock is free.
 *
 * @param {{ program: string, lock: string }} paths absolute; the lock is a folder that exists while it is held
 * @param {() => Promise<void>} work makes the program
 */
export async function makeOnce({ program, lock }, work) {
  await mkdir(dirname(lock), { recursive: true });
  while (!(await takeLock(lock))) {
    await delay(POLL_MS);
    if (isExecutable(program)) return;
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    void utimes(lock, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  try {
    if (!isExecutable(program)) await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { recursive: true, force: true });
  }
}

/**
 * @param {string} lock
 * @returns {Promise<boolean>} whether it is ours now
 */
async function takeLock(lock) {
  try {
    await mkdir(lock);
    return true;
  } catch {
    const held = await stat(lock).catch(() => undefined);
    if (held && Date.now() - held.mtimeMs > STALE_MS) await rm(lock, { recursive: true, force: true });
    return false;
  }
}

/** Unix sockets: a stale one is removed before the port opens, and the group may use the new one. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { parseAddress } from '../../config/address.js';

/** @returns the path of a `unix:` address; undefined for any other */
function socketPathOf(address: string): string | undefined {
  const parsed = parseAddress(address);
  return parsed?.kind === 'unix' ? parsed.path : undefined;
}

/**
 * Removes a socket on which no process answers any more. Any other file stays.
 *
 * @throws Error when another process serves on it
 */
export async function prepareSocket(address: string): Promise<void> {
  const path = socketPathOf(address);
  if (path === undefined || lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  if (await isAnswering(path)) throw new Error(`another process serves on ${path}`);
  unlinkSync(path);
}

/** An Envoy that runs as another user gets access by the group; the folder decides who else does. */
const SOCKET_MODE = 0o660;

/**
 * Opens a socket with the mode that it keeps. A chmod after the bind would leave a moment in which everybody may connect,
 * so the process' mask is narrowed around it; files made at the same time can only become less accessible.
 *
 * @param address anything but `unix:` is opened as it is
 */
export async function withSocketMode<T>(address: string, open: () => Promise<T>): Promise<T> {
  const path = socketPathOf(address);
  if (path === undefined) return open();
  const before = process.umask(0o777 & ~SOCKET_MODE);
  try {
    const opened = await open();
    chmodSync(path, SOCKET_MODE);
    return opened;
  } finally {
    process.umask(before);
  }
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
}

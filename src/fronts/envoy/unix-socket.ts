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
 * Removes a socket that nobody answers on: a process that is gone left it. Anything else is left alone.
 *
 * @throws Error when another process serves on it
 */
export async function prepareSocket(address: string): Promise<void> {
  const path = socketPathOf(address);
  if (path === undefined || lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  if (await isAnswering(path)) throw new Error(`another process serves on ${path}`);
  unlinkSync(path);
}

/** Another user's Envoy reaches the socket by its group; the folder decides who else may. */
export function releaseSocket(address: string): void {
  const path = socketPathOf(address);
  if (path !== undefined) chmodSync(path, 0o660);
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

// @ts-check
/** Ports nobody listens on, below the range from which the kernel takes the ports of outgoing connections. */
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES = 200;

/** @type {Set<number>} */
const handedOut = new Set();

/**
 * @param {number} port
 * @returns {Promise<boolean>} whether the loopback address can be bound there right now
 */
const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });

/**
 * A port that was free a moment ago; it is not reserved. Never the same one twice in a process.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!handedOut.has(port) && (await isFree(port))) {
      handedOut.add(port);
      return port;
    }
  }
  throw new Error(`no free port found on 127.0.0.1 between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`);
}

/**
 * @template {string} Name
 * @param {...Name} names
 * @returns {Promise<Record<Name, number>>} a port for each name
 */
export async function freePorts(...names) {
  /** @type {Record<string, number>} */
  const ports = {};
  for (const name of names) ports[name] = await freePort();
  return /** @type {Record<Name, number>} */ (ports);
}

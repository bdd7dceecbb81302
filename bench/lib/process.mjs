/**
 * Servers as processes of their own, and what they cost: processor time of all their threads, resident memory.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/support/free-port.mjs';
import { listensOn, startProcess } from '../../test/support/processes.mjs';

/**
 * Processor time of a process in microseconds, all its threads. The scheduler's own count in nanoseconds: the ticks of
 * /proc/PID/stat are 10 ms long.
 * @param {number} pid
 */
export function cpuUs(pid) {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    } catch {
      // A thread that ended between the listing and the reading.
    }
  }
  return sum / 1000;
}

/** Resident memory, bytes. */
export function residentBytes(pid) {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return line ? Number(line[1]) * 1024 : 0;
}

/** How many file descriptors a process holds. */
export const openHandles = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Pids of the processes a process has started and that still run. */
export function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  });
}

/**
 * Starts one of the servers of bench/servers on a free port.
 * @param {string} script its file name
 * @param {{ name?: string, flags?: string[], env?: Record<string, string> }} [options] `flags` are node's
 * @returns {Promise<import('../../test/support/processes.mjs').RunningProcess & { port: number }>}
 */
export async function startServer(script, { name = script, flags = [], env = {} } = {}) {
  const port = await freePort();
  const path = fileURLToPath(new URL(`../servers/${script}`, import.meta.url));
  const started = await startProcess(process.execPath, [...flags, path], {
    name: name.replace(/\W+/g, '-'),
    env: { ...env, PORT: String(port) },
    ready: listensOn(port),
  });
  return { ...started, name, port };
}

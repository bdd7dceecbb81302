// @ts-check
/**
 * Real programs for the demo and the end-to-end tests: started, awaited until they are ready, their output kept in
 * a file, and ended by their id, also when the process that started them is killed (see leash.mjs).
 */
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const POLL_MS = 40;
const READY_TIMEOUT_MS = 20_000;
const STOP_GRACE_MS = 5_000;
const LOG_TAIL_LINES = 30;

/**
 * @typedef {object} RunningProcess
 * @property {string} name
 * @property {number} pid
 * @property {string} logFile standard output and standard error
 * @property {() => string} log what it has written so far
 * @property {() => boolean} isRunning
 * @property {Promise<{ code: number | null, signal: NodeJS.Signals | null }>} exited
 * @property {(signal?: NodeJS.Signals) => Promise<void>} stop ends it, with SIGKILL where it does not listen
 */

/** @type {Set<RunningProcess>} */
const running = new Set();

/** @type {import('node:child_process').ChildProcess | undefined} */
let leash;

/** @param {string} line */
function tellLeash(line) {
  if (leash === undefined) {
    const script = fileURLToPath(new URL('./leash.mjs', import.meta.url));
    leash = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    leash.unref();
    // The pipe must not keep this process alive; its end is what the leash waits for.
    /** @type {import('node:net').Socket} */ (/** @type {unknown} */ (leash.stdin)).unref();
    leash.stdin?.on('error', () => {});
  }
  leash.stdin?.write(`${line}\n`);
}

/** @type {string | undefined} */
let directory;

/**
 * A scratch directory of this process, removed by stopAll, or when the process ends in an orderly way.
 * @returns {string}
 */
export function scratchDirectory() {
  if (directory === undefined) {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-'));
    process.once('exit', removeScratchDirectory);
  }
  return directory;
}

function removeScratchDirectory() {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}

let sequence = 0;

/**
 * @param {string} name of the file, made unique
 * @returns {string} a path in the scratch directory
 */
export function scratchFile(name) {
  sequence += 1;
  return join(scratchDirectory(), `${sequence}-${name}`);
}

/**
 * @param {string} text
 * @returns {string} its last lines
 */
const tail = (text) => text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');

/**
 * @param {RunningProcess} started
 * @param {() => Promise<boolean>} ready
 * @param {number} timeoutMs
 */
async function awaitReady(started, ready, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (!(await ready())) {
    if (!started.isRunning())
      throw new Error(`${started.name} ended before it was ready:\n${tail(started.log())}`);
    if (Date.now() > deadline) {
      const log = tail(started.log());
      await started.stop('SIGKILL');
      throw new Error(`${started.name} was not ready within ${timeoutMs} ms:\n${log}`);
    }
    await delay(POLL_MS);
  }
}

/**
 * Starts a program and waits until it is ready.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} options
 * @param {string} options.name for messages and the log file
 * @param {() => Promise<boolean>} [options.ready] asked until it says true
 * @param {number} [options.readyTimeoutMs]
 * @param {Record<string, string>} [options.env] beside this process's own
 * @param {string} [options.cwd]
 * @returns {Promise<RunningProcess>}
 * @throws {Error} with the end of its log, where it ended or was not ready in time
 */
export async function startProcess(command, args, options) {
  const logFile = scratchFile(`${options.name}.log`);
  const fd = openSync(logFile, 'w', 0o600);
  const child = spawn(command, args, {
    stdio: ['ignore', fd, fd],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(fd);
  const started = track(child, options.name, logFile);
  if (options.ready) await awaitReady(started, options.ready, options.readyTimeoutMs ?? READY_TIMEOUT_MS);
  return started;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} name
 * @param {string} logFile
 * @returns {RunningProcess}
 */
function track(child, name, logFile) {
  let alive = true;
  const pid = child.pid ?? -1;
  /** @type {RunningProcess['exited']} */
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => end(code, signal));
    child.once('error', (error) => {
      appendFileSync(logFile, `${error.message}\n`);
      end(null, null);
    });
    /** @type {(code: number | null, signal: NodeJS.Signals | null) => void} */
    const end = (code, signal) => {
      alive = false;
      running.delete(handle);
      if (pid > 0) tellLeash(`-${pid}`);
      resolve({ code, signal });
    };
  });
  /** @type {RunningProcess} */
  const handle = {
    name,
    pid,
    logFile,
    exited,
    log: () => readFileSync(logFile, 'utf8'),
    isRunning: () => alive,
    stop: async (signal = 'SIGTERM') => {
      if (!alive) return;
      child.kill(signal);
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await exited;
      clearTimeout(kill);
    },
  };
  running.add(handle);
  if (pid > 0) tellLeash(`+${pid}`);
  return handle;
}

/** Ends everything that was started here and still runs, last started first, and removes its logs. */
export async function stopAll() {
  for (const started of [...running].reverse()) await started.stop();
  removeScratchDirectory();
}

/**
 * @param {number} port
 * @returns {() => Promise<boolean>} whether something listens on that loopback port
 */
export const listensOn = (port) => () =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/**
 * @param {string} url
 * @returns {() => Promise<boolean>} whether it answers 200
 */
export const answersOk = (url) => async () => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
};

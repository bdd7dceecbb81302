// @ts-check
/**
 * Ends what a dead parent left behind. It reads `+PID` and `-PID` lines from its standard input; when that input
 * ends, however its parent died, every process still on the list is told to end, and killed soon after.
 */
import { createInterface } from 'node:readline';

const GRACE_MS = 3_000;

/** @type {Set<number>} */
const pids = new Set();

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    pids.delete(pid); // gone already
  }
}

// A Ctrl-C goes to the whole foreground group; the leash outlives it to clean up.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => {});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) pids.add(pid);
    else pids.delete(pid);
  })
  .on('close', () => {
    for (const pid of pids) signalProcess(pid, 'SIGTERM');
    setTimeout(() => {
      for (const pid of pids) signalProcess(pid, 'SIGKILL');
    }, GRACE_MS);
    const poll = setInterval(() => {
      for (const pid of pids) {
        try {
          process.kill(pid, 0);
        } catch {
          pids.delete(pid);
        }
      }
      if (pids.size === 0) process.exit(0);
    }, 50);
    if (pids.size === 0) {
      clearInterval(poll);
      process.exit(0);
    }
  });

/**
 * The clock of the open loop, in a thread of its own: it sleeps to within a fraction of a millisecond, which timers of
 * the event loop do not, and a busy driver does not delay it.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { startMs, everyMs, count } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
const nowMs = () => performance.timeOrigin + performance.now();

for (let i = 0; i < count;) {
  const waitMs = startMs + i * everyMs - nowMs();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  const from = i;
  while (i < count && startMs + i * everyMs <= nowMs()) i++;
  if (i > from) parentPort.postMessage({ from, to: i });
}

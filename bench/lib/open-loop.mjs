/**
 * Open loop: requests leave at a constant rate whatever the server does, and a latency runs from the moment a request
 * was due, so that a stall is felt by all that were due in it (no coordinated omission).
 */
import { Worker } from 'node:worker_threads';
import { count } from './closed-loop.mjs';
import { Http2Connection } from './http2-client.mjs';
import { Latencies } from './latencies.mjs';

/** Time for the pacer's thread to start. */
const HEAD_START_MS = 150;

/**
 * @param {number | string} target port or socket path
 * @param {{ connections?: number, rate: number, requests: number, block: Buffer | ((i: number) => Buffer), body: (i: number) => Buffer | undefined, read: (answer: { status: number, body: Buffer | undefined }) => number }} options
 *   `rate` in requests per second; `read` turns an answer into the status that is counted
 * @returns {Promise<{ requests: number, seconds: number, statuses: Record<string, number>, latencies: Latencies, lateness: Latencies }>}
 *   `lateness`: how long after its moment the driver sent a request; part of the latencies
 */
export async function openLoop(target, { connections = 4, rate, requests, block, body, read }) {
  const blockOf = typeof block === 'function' ? block : () => block;
  const open = await Promise.all(Array.from({ length: connections }, () => Http2Connection.connect(target)));
  const result = {
    requests: 0,
    seconds: 0,
    statuses: {},
    latencies: new Latencies(requests),
    lateness: new Latencies(requests),
  };
  const startMs = performance.timeOrigin + performance.now() + HEAD_START_MS;
  const everyMs = 1000 / rate;
  const pacer = new Worker(new URL('./pacer.mjs', import.meta.url), {
    workerData: { startMs, everyMs, count: requests },
  });
  const nowMs = () => performance.timeOrigin + performance.now();
  await new Promise((resolve, reject) => {
    const send = (i) => {
      const dueMs = startMs + i * everyMs;
      result.lateness.add(nowMs() - dueMs);
      open[i % open.length].request(blockOf(i), body(i), (answer) => {
        count(result, answer && read(answer), nowMs() - dueMs);
        if (result.requests === requests) resolve();
      });
    };
    pacer.once('error', reject);
    pacer.on('message', ({ from, to }) => {
      for (let i = from; i < to; i++) send(i);
    });
  });
  result.seconds = (nowMs() - startMs) / 1000;
  for (const connection of open) connection.close();
  await pacer.terminate();
  return result;
}

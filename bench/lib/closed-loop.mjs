/**
 * Closed loop: so many streams, each with one request under way, for a given number of requests. Says what a server can
 * do and what a request costs; its latencies are those of a saturated server.
 */
import { Http2Connection } from './http2-client.mjs';
import { Latencies } from './latencies.mjs';

/**
 * @param {number | string} target port or socket path
 * @param {{ connections?: number, streams?: number, requests: number, block: Buffer | ((i: number) => Buffer), body: (i: number) => Buffer | undefined, read: (answer: { status: number, body: Buffer | undefined }) => number }} options
 *   `read` turns an answer into the status that is counted
 * @returns {Promise<{ requests: number, seconds: number, statuses: Record<string, number>, latencies: Latencies }>}
 */
export async function closedLoop(target, { connections = 4, streams = 32, requests, block, body, read }) {
  const blockOf = typeof block === 'function' ? block : () => block;
  const open = await Promise.all(Array.from({ length: connections }, () => Http2Connection.connect(target)));
  const result = { requests: 0, seconds: 0, statuses: {}, latencies: new Latencies(requests) };
  let sent = 0;
  const startedMs = performance.now();
  await new Promise((resolve) => {
    const next = (connection) => {
      if (sent >= requests) return;
      const sentMs = performance.now();
      const i = sent++;
      connection.request(blockOf(i), body(i), (answer) => {
        count(result, answer && read(answer), performance.now() - sentMs);
        if (result.requests === requests) resolve();
        else next(connection);
      });
    };
    for (const connection of open) for (let i = 0; i < streams; i++) next(connection);
  });
  result.seconds = (performance.now() - startedMs) / 1000;
  for (const connection of open) connection.close();
  return result;
}

/** Notes one outcome; `none` where no answer came. */
export function count(result, status, latencyMs) {
  result.requests++;
  const key = status ?? 'none';
  result.statuses[key] = (result.statuses[key] ?? 0) + 1;
  result.latencies.add(latencyMs);
}

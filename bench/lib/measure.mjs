/** One measured stretch of load against one server, and the stretches of a case in turn. */
import { checkFields, headerBlock, Http2Connection } from './http2-client.mjs';
import { checkPath, decisionOf, parseCheckResponse } from './check-request.mjs';
import { closedLoop } from './closed-loop.mjs';
import { h2load, h2loadBinary } from './h2load.mjs';
import { openLoop } from './open-loop.mjs';
import { cpuUs } from './process.mjs';

const fields = checkFields(checkPath);
/** The header block of a Check call. */
export const checkBlock = headerBlock(fields);

/** Status that a Check's answer stands for; 0 for an answer without a message. */
export const readDecision = (answer) =>
  answer.body && answer.body.length > 5 ? decisionOf(answer.body.subarray(5)) : 0;

/**
 * What is sent, and what must come back.
 * @typedef {object} Load
 * @property {(i: number) => Buffer} body of the i-th request of a stretch
 * @property {Buffer} [constant] where every request is the same
 * @property {number[]} expect statuses that are right
 * @property {(requests: number, port: number) => Promise<void> | void} [prepare] before a stretch
 */

/** @typedef {{ cpuUs: number, rate: number, latencies: import('./latencies.mjs').Latencies, wrong: number }} Measured */

/** One Check, its answer decoded. */
export async function askOnce(port, body) {
  const connection = await Http2Connection.connect(port);
  const answer = await new Promise((resolve) => connection.request(checkBlock, body, resolve));
  connection.close();
  if (!answer?.body) throw new Error('a Check was not answered');
  const message = answer.body.subarray(5);
  return { status: decisionOf(message), response: parseCheckResponse(message) };
}

/**
 * @param {{ port: number, pid: number }} server
 * @param {Load} load
 * @param {{ requests: number, rate?: number, driver: 'node' | 'h2load', streams?: number, connections?: number }} how `rate`: open loop
 * @returns {Promise<Measured>}
 */
export async function measure(server, load, how) {
  await load.prepare?.(how.requests, server.port);
  const before = cpuUs(server.pid);
  const result = await drive(server.port, load, how);
  const spentUs = cpuUs(server.pid) - before;
  const right = load.expect.reduce((sum, status) => sum + (result.statuses[status] ?? 0), 0);
  return {
    cpuUs: spentUs / result.requests,
    rate: result.requests / result.seconds,
    latencies: result.latencies,
    wrong: result.requests - right,
  };
}

async function drive(port, load, { requests, rate, driver, streams, connections }) {
  const client = { connections, streams, requests, block: checkBlock, body: load.body, read: readDecision };
  if (rate !== undefined) return openLoop(port, { ...client, rate });
  if (driver !== 'h2load' || load.constant === undefined) return closedLoop(port, client);
  const result = await h2load(port, {
    connections,
    streams,
    requests,
    fields,
    path: checkPath,
    body: load.constant,
  });
  // It sees the status of HTTP alone. The same request was asked for its decision when the case began.
  return { ...result, statuses: { [load.expect[0]]: result.statuses[200] ?? 0 } };
}

/** The driver for requests that are all the same. */
export const constantDriver = (wanted) => (wanted === 'auto' ? (h2loadBinary ? 'h2load' : 'node') : wanted);

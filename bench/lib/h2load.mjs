/** h2load of nghttp2 as the closed-loop driver, where it is installed and every request is the same. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { findProgram } from '../../test/support/find-program.mjs';
import { scratchFile } from '../../test/support/processes.mjs';
import { Latencies } from './latencies.mjs';

/** Path of h2load; undefined: not installed. */
export const h2loadBinary = findProgram('h2load');

/**
 * @param {number} port
 * @param {{ connections?: number, streams?: number, requests: number, fields: [string, string][], path: string, body: Buffer }} options
 * @returns {Promise<{ requests: number, seconds: number, statuses: Record<string, number>, latencies: Latencies }>}
 *   `statuses` of HTTP, which are 200 for a denial too: what is decided has to be asked another way
 */
export async function h2load(port, { connections = 4, streams = 32, requests, fields, path, body }) {
  const bodyFile = scratchFile('body');
  const logFile = scratchFile('h2load.log');
  writeFileSync(bodyFile, body);
  const headers = fields
    .filter(([name]) => !name.startsWith(':'))
    .flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = [
    '-n',
    requests,
    '-c',
    connections,
    '-m',
    streams,
    '-d',
    bodyFile,
    `--log-file=${logFile}`,
    ...headers,
  ];
  const { stdout } = await promisify(execFile)(h2loadBinary, [
    ...args.map(String),
    `http://127.0.0.1:${port}${path}`,
  ]);
  const result = parse(stdout, readFileSync(logFile, 'latin1'));
  rmSync(bodyFile);
  rmSync(logFile);
  return result;
}

function parse(report, log) {
  const seconds = /finished in ([\d.]+)(m?s)/.exec(report);
  const result = { requests: 0, seconds: 0, statuses: {}, latencies: new Latencies() };
  result.seconds = Number(seconds?.[1]) / (seconds?.[2] === 'ms' ? 1000 : 1);
  for (const line of log.split('\n')) {
    const [, status, latencyUs] = line.split('\t');
    if (latencyUs === undefined) continue;
    result.requests++;
    result.statuses[status] = (result.statuses[status] ?? 0) + 1;
    result.latencies.add(Number(latencyUs) / 1000);
  }
  return result;
}

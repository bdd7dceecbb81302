/**
 * The HTTP front against an empty handler of node:http: `node bench/http-front.mjs [--quick]`. Both get the same questions over
 * the same kind of connections from h2load (HTTP/1.1), by turns; the row is the ratio of their processor times.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { ensureBuilt } from '../test/support/ensure-built.mjs';
import { freePort } from '../test/support/free-port.mjs';
import { startPortcullis } from '../test/support/portcullis-process.mjs';
import { stopAll } from '../test/support/processes.mjs';
import { baseConfig, issuerOf } from './lib/gate.mjs';
import { h2loadBinary } from './lib/h2load.mjs';
import { median } from './lib/latencies.mjs';
import { cpuUs, startServer } from './lib/process.mjs';
import { createKey, createToken } from './lib/tokens.mjs';

const CONNECTIONS = 32;
const { values: given } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = given.quick
  ? { generations: 1, rounds: 2, requests: 1000, warmUp: 2000 }
  : { generations: 4, rounds: 12, requests: 2000, warmUp: 30_000 };

const issuer = 'https://login.example.com';
const key = createKey('RS256');
const token = createToken(issuer, key);

/** What nginx sends for a usual request of a browser. */
const question = (target, credential) => [
  'accept: application/json',
  'accept-encoding: gzip, deflate, br',
  'accept-language: en-GB,en;q=0.9',
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36',
  'x-request-id: 7a1f0d0e-8f0c-4d8e-9b8e-0a7d5c3b2a10',
  'x-original-method: GET',
  'x-original-host: api.example.com',
  `x-original-uri: ${target}`,
  ...credential,
];

const rows = [
  ['anonymous route', question('/public/logo.svg', []), 200],
  [
    'token seen before, three identity headers',
    question('/orders/7', [`authorization: Bearer ${token}`]),
    200,
  ],
  ['no credential', question('/orders/7', []), 401],
];

async function drive(port, headers, requests) {
  const args = ['--h1', '-n', requests, '-c', CONNECTIONS, ...headers.flatMap((header) => ['-H', header])];
  const { stdout } = await promisify(execFile)(h2loadBinary, [
    ...args.map(String),
    `http://127.0.0.1:${port}/`,
  ]);
  const [, ...counts] = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(stdout) ?? [];
  const [, rate] = /, ([\d.]+) req\/s/.exec(stdout) ?? [];
  return { rate: Number(rate), ok: Number(counts[0]), denied: Number(counts[2]) };
}

async function measure(server, headers, requests) {
  const before = cpuUs(server.pid);
  const { rate, ok, denied } = await drive(server.port, headers, requests);
  return { cpu: (cpuUs(server.pid) - before) / requests, rate, ok, denied };
}

async function startFront() {
  const port = await freePort();
  const config = baseConfig({ issuers: [issuerOf(issuer, key)] });
  const http = { address: `127.0.0.1:${port}`, style: 'plain', trustedProxies: ['127.0.0.1'] };
  const gate = await startPortcullis({
    config: { ...config, server: { ...config.server, http } },
    awaitKeys: true,
  });
  return { ...gate, port };
}

async function runGeneration([, headers, status]) {
  const [floor, gate] = [await startServer('http-floor.mjs'), await startFront()];
  try {
    for (const server of [floor, gate]) await measure(server, headers, plan.warmUp);
    const cpu = { floor: [], gate: [], rate: [] };
    for (let round = 0; round < plan.rounds; round++) {
      const first = round % 2 === 0 ? [floor, gate] : [gate, floor];
      for (const server of first) {
        const measured = await measure(server, headers, plan.requests);
        cpu[server === gate ? 'gate' : 'floor'].push(measured.cpu);
        if (server !== gate) continue;
        cpu.rate.push(measured.rate);
        const right = status === 200 ? measured.ok : measured.denied;
        if (right !== plan.requests) throw new Error(`${plan.requests - right} answers are not ${status}`);
      }
    }
    return { floor: median(cpu.floor), gate: median(cpu.gate), rate: median(cpu.rate) };
  } finally {
    await gate.stop();
    await floor.stop();
  }
}

if (h2loadBinary === undefined)
  throw new Error('h2load is not on the PATH (Debian: apt-get install nghttp2-client)');
ensureBuilt((line) => process.stderr.write(`${line}\n`));
console.log('| question | CPU per question, µs | empty handler, µs | ratio | answers per second |');
console.log('|---|---|---|---|---|');
try {
  for (const row of rows) {
    const generations = [];
    for (let i = 0; i < plan.generations; i++) generations.push(await runGeneration(row));
    const of = (name) => median(generations.map((one) => one[name]));
    const ratio = median(generations.map(({ gate, floor }) => gate / floor));
    const cells = [of('gate').toFixed(1), of('floor').toFixed(1), ratio.toFixed(2), of('rate').toFixed(0)];
    console.log(`| ${row[0]} | ${cells.join(' | ')} |`);
  }
} finally {
  await stopAll();
}

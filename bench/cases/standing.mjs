/** Memory and start: figures of one process, without a floor beside it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { spawn } from 'node:child_process';
import { stringify } from 'yaml';
import { writeFileSync } from 'node:fs';
import { freePorts } from '../../test/support/free-port.mjs';
import { scratchFile } from '../../test/support/processes.mjs';
import { inRepository } from '../../test/support/repository.mjs';
import { checkBody, grpcFrame } from '../lib/check-request.mjs';
import { closedLoop } from '../lib/closed-loop.mjs';
import { baseConfig, issuerOf, startGate } from '../lib/gate.mjs';
import { checkFields, headerBlock, Http2Connection } from '../lib/http2-client.mjs';
import { median } from '../lib/latencies.mjs';
import { checkBlock, readDecision } from '../lib/measure.mjs';
import { residentBytes } from '../lib/process.mjs';
import { createKey, createToken } from '../lib/tokens.mjs';

const issuer = 'https://login.example.com';
const MIB = 1024 * 1024;
const MB = 1_000_000;

const row = (name, title, unit, value, limit, target, more = {}) => ({
  case: name,
  title,
  unit,
  value,
  limit,
  target,
  met: value <= limit,
  ...more,
});

const newTokens = (key) => () =>
  checkBody({ headers: { authorization: `Bearer ${createToken(issuer, key)}` } });

const send = (gate, requests, body) =>
  closedLoop(gate.port, { requests, block: checkBlock, body, read: readDecision });

const metric = async (gate, name) =>
  Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await gate.metrics())?.[1] ?? NaN);

/** Memory with so many tokens in the cache; what the collector has not collected yet counts too. */
async function cachedMemory({ quick }) {
  const key = createKey('EdDSA');
  const tokens = quick ? 2_000 : 100_000;
  const gate = await startGate(
    baseConfig({ issuers: [issuerOf(issuer, key)], tokenCache: { maxEntries: tokens, maxBytes: '1GiB' } }),
  );
  try {
    const emptyMib = residentBytes(gate.pid) / MIB;
    await send(gate, tokens, newTokens(key));
    await delay(1000);
    const heapMib = (await metric(gate, 'nodejs_heap_size_used_bytes')) / MIB;
    return row(
      'memory',
      `memory with ${tokens.toLocaleString('en')} cached tokens`,
      'MB',
      residentBytes(gate.pid) / MB,
      200,
      '≤ 200 MB',
      { emptyMib, heapMib },
    );
  } finally {
    await gate.stop();
  }
}

/** The default bounds under a flood of new tokens: the second half may add nothing that lasts. */
async function floodMemory({ quick }) {
  const key = createKey('EdDSA');
  const gate = await startGate(baseConfig({ issuers: [issuerOf(issuer, key)] }));
  try {
    const half = quick ? 2_000 : 100_000;
    await send(gate, half, newTokens(key));
    const firstMib = residentBytes(gate.pid) / MIB;
    await send(gate, half, newTokens(key));
    await delay(1000);
    const residentMib = residentBytes(gate.pid) / MIB;
    const title = `a flood of ${(2 * half).toLocaleString('en')} different tokens, default bounds: second half against first`;
    return row('memory-flood', title, '×', residentMib / firstMib, 1.15, 'bounded', {
      firstMib,
      residentMib,
    });
  } finally {
    await gate.stop();
  }
}

const healthBlock = headerBlock(checkFields('/grpc.health.v1.Health/Check'));
const empty = grpcFrame(Buffer.alloc(0));

/** @returns {Promise<boolean>} whether the health service says SERVING */
async function isServing(port) {
  const connection = await Http2Connection.connect(port).catch(() => undefined);
  if (!connection) return false;
  const answer = await new Promise((resolve) => connection.request(healthBlock, empty, resolve));
  connection.close();
  return answer?.body?.subarray(5).equals(Buffer.from([8, 1])) ?? false;
}

/** From the start of the process to SERVING. */
async function startOnceMs(config) {
  const ports = await freePorts('grpc', 'admin');
  const file = scratchFile('start.yaml');
  const server = { grpc: `127.0.0.1:${ports.grpc}`, admin: `127.0.0.1:${ports.admin}` };
  writeFileSync(file, stringify({ ...config, server }));
  const startedMs = performance.now();
  const child = spawn(process.execPath, [inRepository('bin', 'portcullis.js'), 'serve', '--config', file], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!(await isServing(ports.grpc))) {
    if (child.exitCode !== null) throw new Error('portcullis ended at its start');
    await delay(2);
  }
  const tookMs = performance.now() - startedMs;
  child.kill();
  await ended;
  return tookMs;
}

/** How long Node itself takes here to do nothing: what a slow machine adds. */
async function bareNodeMs() {
  const startedMs = performance.now();
  await promisify(execFile)(process.execPath, ['--eval', '0']);
  return performance.now() - startedMs;
}

async function start({ quick }) {
  const config = baseConfig({ issuers: [issuerOf(issuer, createKey('RS256'))] });
  const [times, bare] = [[], []];
  for (let i = 0; i < (quick ? 2 : 7); i++) {
    bare.push(await bareNodeMs());
    times.push(await startOnceMs(config));
  }
  const title = `from process start to SERVING (bare Node: ${Math.round(median(bare))} ms)`;
  return row('start', title, 'ms', median(times), 1000, '≤ 1 s', { timesMs: times, bareNodeMs: bare });
}

/** What the server does with proto/ at its start, in a process that has done nothing else. */
async function protoLoad({ quick }) {
  const module = pathToFileURL(inRepository('dist', 'fronts', 'envoy', 'service-definitions.js')).href;
  const script = `const from = performance.now();
    const definitions = await import(${JSON.stringify(module)});
    if (!definitions.authorizationDefinition || !definitions.healthDefinition) throw new Error('not there');
    console.log(performance.now() - from);`;
  const times = [];
  for (let i = 0; i < (quick ? 2 : 7); i++) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    times.push(Number(stdout));
  }
  return row(
    'proto-load',
    'the services of proto/, as the server loads them',
    'ms',
    median(times),
    100,
    '≤ 100 ms',
    {
      timesMs: times,
    },
  );
}

/** @param {{ quick: boolean }} size */
export const standingCases = (size) => ({
  memory: () => cachedMemory(size),
  'memory-flood': () => floodMemory(size),
  start: () => start(size),
  'proto-load': () => protoLoad(size),
});

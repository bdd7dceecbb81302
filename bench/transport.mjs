/**
 * The transport study: what each way of answering a Check costs, against the floor, interleaved in one run.
 *
 *     node bench/transport.mjs [--generations 6] [--rounds 16] [--requests 500] [--streams 4x32] ['variant --node-flag' …]
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopAll } from '../test/support/processes.mjs';
import { checkBody, checkPath, decisionOf } from './lib/check-request.mjs';
import { closedLoop } from './lib/closed-loop.mjs';
import { checkFields, headerBlock } from './lib/http2-client.mjs';
import { median } from './lib/latencies.mjs';
import { cpuUs, startServer } from './lib/process.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    generations: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '16' },
    requests: { type: 'string', default: '500' },
    streams: { type: 'string', default: '4x32' },
  },
});
const [connections, streams] = values.streams.split('x').map(Number);
const script = fileURLToPath(new URL('./servers/transport.mjs', import.meta.url));
const all = execFileSync(process.execPath, [script, '--list'], { encoding: 'utf8' }).trim().split('\n');
const chosen = ['floor', ...(positionals.length > 0 ? positionals : all).filter((name) => name !== 'floor')];
const body = checkBody({ headers: { authorization: `Bearer ${'a'.repeat(700)}` } });
const load = {
  connections,
  streams,
  block: headerBlock(checkFields(checkPath)),
  body: () => body,
  read: (answer) => (answer.body ? decisionOf(answer.body.subarray(5)) : 0),
};

const requests = Number(values.requests);

async function measure(server, count) {
  const before = cpuUs(server.pid);
  const result = await closedLoop(server.port, { ...load, requests: count });
  if (result.statuses[200] !== count) throw new Error(`${server.name}: ${JSON.stringify(result.statuses)}`);
  return (cpuUs(server.pid) - before) / count;
}

async function start(name) {
  const [variant, ...flags] = name.split(' ');
  return startServer('transport.mjs', { name, flags, env: { VARIANT: variant } });
}

/**
 * One variant and the floor, in short stretches by turns, so that whatever else the machine does falls on both; who is
 * started first, and who begins, changes too.
 */
async function generation(name, number) {
  const names = number % 2 ? ['floor', name] : [name, 'floor'];
  const servers = [];
  for (const each of names) servers.push(await start(each));
  for (const server of servers) await measure(server, 8000);
  const sums = [0, 0];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const i of round % 2 ? [1, 0] : [0, 1]) sums[i] += await measure(servers[i], requests);
  }
  for (const server of servers) await server.stop();
  const [floor, variant] = number % 2 ? sums : [...sums].reverse();
  return { cpu: variant / Number(values.rounds), ratio: variant / floor };
}

// `floor` against itself comes first: how far that is from 1 is how far the rest can be trusted.
for (const name of chosen) {
  const generations = [];
  for (let i = 0; i < Number(values.generations); i++) generations.push(await generation(name, i));
  const ratios = generations.map(({ ratio }) => ratio);
  const cpu = median(generations.map((one) => one.cpu)).toFixed(1);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `${name.padEnd(30)} ${cpu.padStart(7)} µs ${median(ratios).toFixed(3).padStart(7)} × floor (${range})`,
  );
}
await stopAll();

/**
 * The transport study: what each way of answering a Check costs, against the floor, interleaved in one run.
 *
 *     node bench/transport.mjs [--generations 6] [--rounds 5] [--requests 2500] [--streams 4x32] ['variant --node-flag' …]
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkBody, checkPath, decisionOf } from './lib/check-request.mjs';
import { closedLoop } from './lib/closed-loop.mjs';
import { checkFields, headerBlock } from './lib/http2-client.mjs';
import { median } from './lib/latencies.mjs';
import { cpuUs, startServer } from './lib/process.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    generations: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '2500' },
    streams: { type: 'string', default: '4x32' },
  },
});
const [connections, streams] = values.streams.split('x').map(Number);
const script = fileURLToPath(new URL('./servers/transport.mjs', import.meta.url));
const all = execFileSync(process.execPath, [script, '--list'], { encoding: 'utf8' }).trim().split('\n');
const chosen = [
  'floor',
  "floor'",
  ...(positionals.length > 0 ? positionals : all).filter((name) => name !== 'floor'),
];
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

/** Another one goes first each time, so that none profits from its place. */
const rotated = (list, by) => [...list.slice(by % list.length), ...list.slice(0, by % list.length)];

async function start(name) {
  const [variant, ...flags] = name.split(' ');
  return startServer('transport.mjs', { name, flags, env: { VARIANT: variant.replace(/'/g, '') } });
}

/** Two processes of the same program differ by up to a tenth for as long as they live, so each generation starts new ones. */
async function generation(number) {
  const servers = [];
  for (const name of rotated(chosen, number)) servers.push(await start(name));
  const cpu = new Map(chosen.map((name) => [name, []]));
  for (const server of servers) await measure(server, 10_000);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const server of rotated(servers, round)) cpu.get(server.name).push(await measure(server, requests));
  }
  for (const server of servers) await server.stop();
  return new Map([...cpu].map(([name, list]) => [name, median(list)]));
}

const generations = [];
for (let number = 0; number < Number(values.generations); number++)
  generations.push(await generation(number));
// `floor'` is the floor once more: how far its ratio is from 1 is how far the others' can be trusted.
for (const name of chosen) {
  const floor = (row) => (row.get('floor') + row.get("floor'")) / 2;
  const ratios = generations.map((row) => row.get(name) / floor(row));
  const cpu = median(generations.map((row) => row.get(name)));
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `${name.padEnd(30)} ${cpu.toFixed(1).padStart(7)} µs ${median(ratios).toFixed(3).padStart(7)} × floor (${range})`,
  );
}

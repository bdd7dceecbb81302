/**
 * Runs a case: floor and gates side by side, each generation in new processes, each stretch of the one followed by the
 * same of the other, so that what the machine does to one it does to both.
 */
import { Latencies, median } from './latencies.mjs';
import { askOnce, measure } from './measure.mjs';
import { startGate } from './gate.mjs';
import { startServer } from './process.mjs';
import { rawVerifyUs } from './tokens.mjs';

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} title
 * @property {string} target
 * @property {{ connections: number, streams: number }} [loop] of the closed loop, where it is not 4 connections of 32 streams
 * @property {number} limit
 * @property {Record<string, { config: object, env?: Record<string, string> }>} gates
 * @property {Record<string, { gate: string, load: import('./measure.mjs').Load }>} loads `subject` is the one the row is about
 * @property {{ alg: string }} [raw] a key whose raw verification is measured too
 * @property {(cpu: Record<string, number>) => number} value from processor times by load, `floor` and `raw`
 */

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Another one goes first each time, so that none profits from its place. */
const rotated = (list, by) => [...list.slice(by % list.length), ...list.slice(0, by % list.length)];

/**
 * @param {Case} one
 * @param {{ generations: number, rounds: number, warmUp: number, requests: number, rate: number, seconds: number, driver: string }} plan
 */
export async function runCase(one, plan) {
  const generations = [];
  const tally = new Map();
  for (let i = 0; i < plan.generations; i++)
    generations.push(await runGeneration(one, { ...plan, number: i }, tally));
  return summarize(one, generations, tally);
}

/** @returns {Promise<Record<string, number>>} processor time of a Check by load, the mean of all rounds: the collector's time is in the rounds it falls into */
async function runGeneration(one, plan, tally) {
  const servers = await startAll(one, plan.number);
  try {
    const runs = [
      floorRun(one, servers.floor),
      ...Object.entries(one.loads).map(([name, { gate, load }]) => ({ name, server: servers[gate], load })),
    ];
    for (const run of rotated(runs, plan.number)) await warmUp(run, plan);
    // Filling a cache takes a minute, in which the engine of an idle server throws its compiled code away.
    for (const { server, load } of runs)
      await measure(server, load, { requests: plan.warmUp / 2, driver: 'node' });
    const rounds = [];
    for (let round = 0; round < plan.rounds; round++)
      rounds.push(await closedRound(one, rotated(runs, round), plan, tally));
    for (const run of rotated(runs, plan.rounds)) await openStretch(run, plan, tally);
    return Object.fromEntries(
      Object.keys(rounds[0]).map((name) => [name, mean(rounds.map((cpu) => cpu[name]))]),
    );
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
}

/** Who is started first changes, too. */
async function startAll({ gates }, number) {
  const starts = [
    ['floor', () => startServer('floor.mjs')],
    ...Object.entries(gates).map(([name, { config, env }]) => [name, () => startGate(config, env)]),
  ];
  const servers = {};
  for (const [name, start] of rotated(starts, number)) servers[name] = await start();
  return servers;
}

/** The floor gets the same bytes and allows all of them. */
const floorRun = ({ loads }, server) => ({
  name: 'floor',
  server,
  load: { ...loads.subject.load, expect: [200], fill: undefined },
});

async function warmUp({ name, server, load }, { warmUp: requests }) {
  await load.prepare?.(requests, server.port);
  const { status } = await askOnce(server.port, load.body(0));
  if (!load.expect.includes(status))
    throw new Error(`${name}: ${load.expect} was expected, and the answer is ${status}`);
  await measure(server, load, { requests, driver: 'node' });
  await load.fill?.(server);
}

async function closedRound(one, runs, plan, tally) {
  const cpu = one.raw ? { raw: rawVerifyUs(one.raw, 400) } : {};
  for (const { name, server, load } of runs) {
    const measured = await measure(server, load, {
      requests: plan.requests,
      driver: plan.driver,
      ...one.loop,
    });
    cpu[name] = measured.cpuUs;
    note(tally, name, 'closed', measured);
  }
  return cpu;
}

async function openStretch({ name, server, load }, { rate, seconds }, tally) {
  const requests = Math.round(rate * seconds);
  if (requests > 0)
    note(tally, name, 'open', await measure(server, load, { requests, rate, driver: 'node' }));
}

function note(tally, name, loop, measured) {
  if (!tally.has(name)) tally.set(name, { closed: [], open: [], wrong: 0 });
  tally.get(name)[loop].push(measured);
  tally.get(name).wrong += measured.wrong;
}

function summarize(one, generations, tally) {
  const of = (name) => median(generations.map((cpu) => cpu[name]));
  const values = generations.map((cpu) => one.value(cpu));
  const value = median(values);
  const subject = tally.get('subject');
  return {
    case: one.name,
    title: one.title,
    cpuUs: of('subject'),
    floorUs: of('floor'),
    ratioToFloor: median(generations.map((cpu) => cpu.subject / cpu.floor)),
    rawVerifyUs: one.raw ? of('raw') : undefined,
    alsoUs: Object.fromEntries(
      Object.keys(one.loads)
        .filter((name) => name !== 'subject')
        .map((name) => [name, of(name)]),
    ),
    value,
    valueRange: [Math.min(...values), Math.max(...values)],
    target: one.target,
    limit: one.limit,
    met: value <= one.limit && subject.wrong === 0,
    wrong: subject.wrong,
    throughput: median(subject.closed.map(({ rate }) => rate)),
    floorThroughput: median(tally.get('floor').closed.map(({ rate }) => rate)),
    latencyMs: latencies(subject),
    floorLatencyMs: latencies(tally.get('floor')),
    generations: generations.length,
  };
}

const latencies = ({ closed, open }) => ({
  closed: merged(closed),
  open: open.length > 0 ? merged(open) : undefined,
});

const merged = (stretches) => Latencies.merge(stretches.map((stretch) => stretch.latencies)).summary();

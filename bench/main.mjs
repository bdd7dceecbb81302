/**
 * The benchmark: `npm run bench -- --help`. Ratios within one run are what counts; see README.md beside it.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../test/support/ensure-built.mjs';
import { stopAll } from '../test/support/processes.mjs';
import { decisionCases } from './cases/decisions.mjs';
import { throughEnvoy } from './cases/envoy.mjs';
import { growthCases } from './cases/growth.mjs';
import { standingCases } from './cases/standing.mjs';
import { useTransport } from './lib/gate.mjs';
import { constantDriver } from './lib/measure.mjs';
import { decisionTable, envoyTable, loadAverage, standingTable, surroundings } from './lib/report.mjs';
import { runCase } from './lib/run-case.mjs';
import { TRANSPORTS } from './lib/targets.mjs';

const usage = `npm run bench -- [options]
  --case NAME        only this case; may be given again (--list shows them)
  --envoy            the cases through a real Envoy, instead of the direct ones; with --all, beside them
  --all              everything
  --hostile          instead: 5 KB and 50 KB of every byte in every place that a client fills
  --quick            one short round of each: does it run, not how fast
  --full             a million cached tokens instead of a hundred thousand
  --transport NAME   of the gates: grpc-js (the default) or lean; the floor stays grpc-js
  --json FILE        the result as JSON, too
  --driver NAME      of requests that are all the same: auto (h2load where installed), h2load, node
  --generations N    new processes so often (3)      --rounds N      stretches per generation (6)
  --requests N       a stretch (10000)               --warm-up N     before the first one (20000)
  --rate N           of the open loop, a second (1000)   --seconds N   of its stretches (2)`;

const { values: given } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    envoy: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    hostile: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    transport: { type: 'string', default: 'grpc-js' },
    json: { type: 'string' },
    driver: { type: 'string', default: 'auto' },
    generations: { type: 'string' },
    rounds: { type: 'string' },
    requests: { type: 'string' },
    'warm-up': { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const usual = given.quick
  ? { generations: 1, rounds: 1, requests: 300, 'warm-up': 300, rate: 200, seconds: 0.5 }
  : { generations: 3, rounds: 6, requests: 10_000, 'warm-up': 20_000, rate: 1000, seconds: 2 };
const number = (name) => (given[name] === undefined ? usual[name] : Number(given[name]));
const plan = {
  generations: number('generations'),
  rounds: number('rounds'),
  requests: number('requests'),
  warmUp: number('warm-up'),
  rate: number('rate'),
  seconds: number('seconds'),
  driver: constantDriver(given.driver),
};
if (!TRANSPORTS.includes(given.transport)) throw new Error(`--transport is one of ${TRANSPORTS.join(', ')}`);
useTransport(given.transport);
const size = { quick: given.quick, full: given.full };

const say = (line) => process.stderr.write(`${line}\n`);

async function runAll() {
  const cases = { ...decisionCases(given.transport), ...growthCases(size) };
  const standing = standingCases(size);
  if (given.list)
    return void console.log([...Object.keys(cases), ...Object.keys(standing), 'envoy'].join('\n'));
  ensureBuilt(say);
  const wanted = (name) => given.case?.includes(name) ?? (given.all || !given.envoy);
  const report = {
    ...surroundings(),
    transport: given.transport,
    plan,
    loadBefore: loadAverage(),
    decisions: [],
    standing: [],
    envoy: undefined,
  };
  for (const [name, create] of Object.entries(cases)) {
    if (!wanted(name)) continue;
    say(`${name} …`);
    const row = await runCase(create(), plan);
    say(`  ${row.value.toFixed(2)}, target ${row.target}`);
    report.decisions.push(row);
    save(report);
  }
  for (const [name, run] of Object.entries(standing)) {
    if (!wanted(name)) continue;
    say(`${name} …`);
    const row = await run();
    say(`  ${row.value.toFixed(2)} ${row.unit}, target ${row.target}`);
    report.standing.push(row);
    save(report);
  }
  if (given.envoy || given.all || given.case?.includes('envoy')) {
    say('through Envoy …');
    report.envoy = await throughEnvoy({ ...plan, ...(given.quick ? {} : { generations: 2, rounds: 4 }) });
  }
  return print({ ...report, loadAfter: loadAverage() });
}

function print(report) {
  const packages = Object.entries(report.packages).map(([name, version]) => `${name} ${version}`);
  console.log(
    `${report.cpu}, ${report.memoryGib} GiB, ${report.kernel}; Node ${report.node}, OpenSSL ${report.openssl}`,
  );
  console.log(`portcullis ${report.portcullis} on ${report.transport}; ${packages.join(', ')}`);
  console.log(`load average before ${report.loadBefore.join(' ')}, after ${report.loadAfter.join(' ')}\n`);
  if (report.decisions.length > 0) console.log(`${decisionTable(report.decisions)}\n`);
  if (report.standing.length > 0) console.log(`${standingTable(report.standing)}\n`);
  if (report.envoy) printEnvoy(report.envoy);
  save(report);
}

/** After each row: what an interrupted run has measured is not lost. */
function save(report) {
  if (given.json) writeFileSync(given.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

function printEnvoy(envoy) {
  console.log(envoyTable(envoy));
  const judged = `p99 ${envoy.p99Ms.toFixed(2)} ms, ${envoy.p99Ratio.toFixed(2)} × that of the constant answer`;
  console.log(
    `\nat ${envoy.rate} requests per second: ${judged}; target ≤ 1.5 × and ≤ 3 ms: ${envoy.met ? 'met' : 'NOT MET'}`,
  );
}

if (given.help) console.log(usage);
else if (given.hostile) {
  ensureBuilt(say);
  const { hostileReport } = await import('./hostile.mjs');
  process.exitCode = (await hostileReport(size)) ? 0 : 1;
} else {
  try {
    await runAll();
  } finally {
    await stopAll();
  }
}

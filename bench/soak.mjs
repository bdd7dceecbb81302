/**
 * The soak: `npm run soak -- --minutes 10`. A real Portcullis with two workers, a real Redis, an issuer that rotates and
 * fails; traffic of which every answer is known beforehand; and one misfortune after the other.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { ensureBuilt } from '../test/support/ensure-built.mjs';
import { freePorts } from '../test/support/free-port.mjs';
import { startPortcullis } from '../test/support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../test/support/processes.mjs';
import { startRedis } from '../test/support/provision-redis.mjs';
import { Chaos } from './soak/chaos.mjs';
import { SoakIssuer } from './soak/issuer.mjs';
import { soakReport } from './soak/report.mjs';
import { Sender } from './soak/sender.mjs';
import { trafficKinds } from './soak/traffic.mjs';
import { Watch } from './soak/watch.mjs';
import { World } from './soak/world.mjs';

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '250' },
    workers: { type: 'string', default: '2' },
    report: { type: 'string' },
  },
});
const minutes = Number(given.minutes);
const rate = Number(given.rate);
/** Of the time; after that the processes stay the same, so that their memory can be compared. */
const KILLS_UNTIL = 0.5;
/** From here on memory is judged: the last workers that were started have filled their caches by then. */
const JUDGED_FROM = 0.65;
const SAMPLE_EVERY_MS = Math.min(5000, minutes * 1000);
const TICK_MS = 10;

const startedMs = Date.now();
const say = (line) =>
  process.stderr.write(`${((Date.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);

function configOf({ issuer, redis, ports, toggled }) {
  const toggledPolicy = toggled ? 'open' : 'default';
  return stringify({
    server: {
      grpc: `127.0.0.1:${ports.grpc}`,
      admin: `127.0.0.1:${ports.admin}`,
      workers: Number(given.workers),
      // The machine is shared with the driver, the issuer and Redis: only a real stall shall be shed.
      limits: { eventLoopDelay: '2s' },
    },
    issuers: [{ issuer: issuer.issuer, audiences: ['https://api.example.com'], clockTolerance: '1s' }],
    jwks: { minTtl: '1s', maxTtl: '5s', cooldown: '2s', staleIfError: '1h', timeout: '1s' },
    // Small, so that it is full long before memory is judged.
    tokenCache: { maxEntries: 600, maxBytes: '16MiB' },
    dpop: { maxAge: '60s' },
    replay: { store: 'redis', onUnavailable: 'deny' },
    redis: { url: redis.url },
    policies: { open: { access: 'anonymous' }, admins: { scopes: { all: ['admin'] } } },
    routes: [
      { paths: ['/public/**'], policy: 'open' },
      { paths: ['/admin/**'], policy: 'admins' },
      { paths: ['/toggled/**'], policy: toggledPolicy },
      { paths: ['/**'], policy: 'default' },
    ],
    identity: { headers: { 'x-user-id': 'sub', 'x-user-client': 'client_id' } },
  });
}

async function setUp() {
  const issuer = new SoakIssuer();
  await issuer.start();
  const redis = await startRedis();
  const ports = await freePorts('grpc', 'admin');
  const configText = (toggled) => configOf({ issuer, redis, ports, toggled });
  const configFile = scratchFile('portcullis.yaml');
  writeFileSync(configFile, configText(false));
  const gate = await startPortcullis({ config: configFile, ports, awaitKeys: true });
  const world = new World();
  const sender = new Sender({ port: ports.grpc, kinds: trafficKinds(world, issuer), world });
  const chaos = new Chaos({ world, issuer, gate, redis, configFile, configText, say });
  return { issuer, gate, world, sender, chaos, watch: new Watch(gate) };
}

/** A constant rate, whatever comes back; what a late tick owes it sends at once. */
function startTraffic(sender) {
  const beganMs = Date.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = ((Date.now() - beganMs) / 1000) * rate; sent < due; sent++) void sender.send();
    sender.sweep();
  }, TICK_MS);
  return () => clearInterval(timer);
}

async function soak() {
  const { issuer, gate, sender, chaos, watch } = await setUp();
  const endMs = Date.now() + minutes * 60_000;
  const killsEndMs = Date.now() + minutes * 60_000 * KILLS_UNTIL;
  const stopTraffic = startTraffic(sender);
  const sampling = setInterval(() => void watch.sample(), SAMPLE_EVERY_MS);
  await delay(Math.min(5000, minutes * 6000));
  while (Date.now() < endMs && gate.isRunning()) {
    await chaos.next({ kills: Date.now() < killsEndMs });
    const { wrongCount, wrongAllows, unanswered, lostToKills } = sender;
    say(
      `  wrong ${wrongCount} (allows ${wrongAllows}), unanswered ${unanswered}, lost to kills ${lostToKills}`,
    );
  }
  stopTraffic();
  clearInterval(sampling);
  await delay(2000);
  const stillOpen = sender.openCalls;
  sender.close();
  const alive = gate.isRunning();
  await issuer.stop();
  return {
    sender,
    chaos,
    watch,
    stillOpen,
    alive,
    issuer,
    minutes: (Date.now() - startedMs) / 60_000,
    sinceMs: endMs - minutes * 60_000 * (1 - JUDGED_FROM),
    rate,
    log: gate.log(),
  };
}

ensureBuilt(say);
try {
  const report = soakReport(await soak());
  console.log(report.text);
  if (given.report) writeFileSync(given.report, report.text);
  process.exitCode = report.passed ? 0 : 1;
} finally {
  await stopAll();
}

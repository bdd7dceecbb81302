/** What happens to the gate while it works, one thing after the other, in random order. */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../test/support/provision-redis.mjs';
import { childrenOf } from '../lib/process.mjs';
import { outages } from './issuer.mjs';

/** Until every worker has noticed. */
const SETTLE_MS = 6_000;

const KILLS = ['killWorker', 'killWorkerWhileIssuerIsDown'];
const MISFORTUNES = [
  'rotateKeys',
  'retireKey',
  'reload',
  'badReload',
  'manyReloads',
  'issuerOutage',
  'restartRedis',
  'invalidate',
];

const shuffled = (list) =>
  list
    .map((name) => ({ name, at: randomInt(2 ** 32) }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);

export class Chaos {
  #o;
  #deck = [];
  /** By name: how often. */
  happened = {};

  /** @param {{ world, issuer, gate, redis, configFile: string, configText: (toggled: boolean) => string, say: (line: string) => void }} o */
  constructor(o) {
    this.#o = o;
    this.redis = o.redis;
  }

  /**
   * The next one of a shuffled deck, so that in ten minutes each of them happens.
   * @param {{ kills: boolean }} options near the end nobody is killed, so that memory can be judged
   */
  async next({ kills }) {
    const name = this.#draw(kills);
    this.#o.say(name);
    this.happened[name] = (this.happened[name] ?? 0) + 1;
    await this[name]();
  }

  #draw(kills) {
    if (!kills) this.#deck = this.#deck.filter((name) => !KILLS.includes(name));
    if (this.#deck.length === 0) this.#deck = shuffled(kills ? [...MISFORTUNES, ...KILLS] : MISFORTUNES);
    return this.#deck.pop();
  }

  async rotateKeys() {
    const { issuer, world } = this.#o;
    issuer.announce();
    issuer.published = [issuer.current, issuer.next];
    world.changed('keys', SETTLE_MS * 2);
    await delay(SETTLE_MS * 2 + 1000);
    // From here on the announced key must be known everywhere; a while with that, then it signs.
    await delay(2000);
    issuer.old = issuer.current;
    issuer.switchOver();
  }

  async retireKey() {
    const { issuer, world } = this.#o;
    if (!issuer.old) return this.rotateKeys();
    world.changed('keys', SETTLE_MS * 2);
    issuer.retire(issuer.old);
    issuer.old = undefined;
    await this.#admin('/jwks/invalidate');
    await delay(SETTLE_MS * 2 + 4000);
    return undefined;
  }

  async invalidate() {
    this.#o.world.changed('keys', SETTLE_MS);
    await this.#admin('/jwks/invalidate?drop=true');
    await delay(SETTLE_MS);
  }

  async reload() {
    const { world, configFile, configText, gate } = this.#o;
    world.toggled = !world.toggled;
    world.changed('config', SETTLE_MS);
    writeFileSync(configFile, configText(world.toggled));
    process.kill(gate.pid, 'SIGHUP');
    await delay(SETTLE_MS + 2000);
  }

  /** The running configuration stays. */
  async badReload() {
    const { world, configFile, configText, gate } = this.#o;
    writeFileSync(configFile, `${configText(!world.toggled)}\nnonsense: true\n`);
    process.kill(gate.pid, 'SIGHUP');
    await delay(SETTLE_MS);
    writeFileSync(configFile, configText(world.toggled));
    await delay(2000);
  }

  async manyReloads() {
    const { world, configFile, configText, gate } = this.#o;
    for (let i = 0; i < 20; i++) {
      world.toggled = !world.toggled;
      world.changed('config', SETTLE_MS);
      writeFileSync(configFile, configText(world.toggled));
      process.kill(gate.pid, 'SIGHUP');
      await delay(150);
    }
    await delay(SETTLE_MS);
  }

  /** Known keys serve on; the soak does not wait for the settling of anything. */
  async issuerOutage() {
    const { issuer, world, say } = this.#o;
    const kind = outages[randomInt(outages.length)];
    say(`issuer: ${kind}`);
    world.issuerUp = false;
    await issuer.fail(kind);
    await delay(randomInt(4000, 12_000));
    await issuer.recover();
    world.issuerUp = true;
    await delay(1000);
  }

  async restartRedis() {
    const { world } = this.#o;
    world.changed('redis', SETTLE_MS);
    world.redisUp = false;
    await this.redis.stop('SIGKILL');
    await delay(randomInt(3000, 9000));
    world.redisEpoch++;
    world.changed('redis', SETTLE_MS * 2);
    this.redis = await startRedis({ port: this.redis.port });
    world.redisUp = true;
    await delay(SETTLE_MS * 2);
  }

  async killWorker() {
    const { world, gate } = this.#o;
    const workers = childrenOf(gate.pid);
    world.changed('workers', SETTLE_MS);
    if (workers.length > 0) process.kill(workers[randomInt(workers.length)], 'SIGKILL');
    await delay(SETTLE_MS);
  }

  /** The new worker has to get its keys from somewhere. */
  async killWorkerWhileIssuerIsDown() {
    const { issuer, world } = this.#o;
    world.issuerUp = false;
    world.changed('issuer', SETTLE_MS * 3);
    await issuer.fail(outages[randomInt(outages.length)]);
    await this.killWorker();
    world.changed('issuer', SETTLE_MS * 2);
    await issuer.recover();
    world.issuerUp = true;
    await delay(SETTLE_MS);
  }

  async #admin(path) {
    const response = await fetch(this.#o.gate.adminUrl + path, { method: 'POST' }).catch(() => undefined);
    await response?.arrayBuffer();
  }
}

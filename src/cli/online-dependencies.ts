import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config, IssuerConfig } from '../config/config.js';
import { createAsk, createClient } from '../introspection/registry.js';
import { introspectionConfigOf } from '../introspections.js';
import { silentLogger, systemClock } from '../ports.js';
import { createKeyRegistry } from '../runtime/key-registry.js';
import { openNetwork } from '../runtime/network.js';
import { openRedisConnection, type RedisConnection } from '../stores/redis-connection.js';
import { openTokenStore } from '../token-service/stores/open-token-store.js';
import { describeError } from './io.js';
import type { DependencyCheck } from './validate.js';

const REDIS_WAIT_MS = 3000;
const REDIS_LOOK_MS = 50;
const REDIS_COMMAND_MS = 1000;

/**
 * Asks what a configuration names beside key sets, once and as the server would. Changes nothing: introspection is asked
 * about a text that is no token, Redis for a key that does not exist, the stores of revocations and of tokens whether
 * they are alive.
 *
 * @param config good
 * @returns a line for each, in the order of the configuration
 */
export async function checkDependenciesOnline(config: Config): Promise<readonly DependencyCheck[]> {
  const introspecting = [...config.issuers.entries()].filter(([, { introspection }]) => introspection);
  const store = config.tokens?.service?.store;
  return Promise.all([
    ...introspecting.map(([index, issuer]) =>
      check(`issuers[${index}].introspection`, () => askAboutNothing(config, issuer)),
    ),
    ...(config.redis === undefined ? [] : [check('redis', () => readNothing(config.redis?.url ?? ''))]),
    ...revocationChecks(config),
    ...(store === undefined ? [] : [check('tokens.store', () => openStore(store))]),
  ]);
}

/** A store in memory is always there. */
function revocationChecks({ revocation, redis }: Config): Promise<DependencyCheck>[] {
  if (revocation?.store === 'redis') return [check('revocation', () => readNothing(redis?.url ?? ''))];
  return revocation?.store === 'sqlite' ? [check('revocation', () => openRevocations(revocation.path))] : [];
}

async function openRevocations(path: string): Promise<string> {
  // Asking it would make it.
  if (!existsSync(path)) return 'ok, is made at the first start';
  const { createSqliteRevocationStore } = await import('../revocation/sqlite-store.js');
  const store = createSqliteRevocationStore(path);
  let held = 0;
  try {
    await store.open(
      ({ put }) => (held += put.length),
      () => [],
    );
    return `ok, sqlite answers, revocations held: ${held}`;
  } finally {
    await store.close();
  }
}

async function check(path: string, ask: () => Promise<string>): Promise<DependencyCheck> {
  try {
    return { path, ok: true, text: await ask() };
  } catch (error) {
    return { path, ok: false, text: `no answer: ${describeError(error)}` };
  }
}

/** The token says what it is, for whoever finds it in a log. */
async function askAboutNothing(config: Config, issuer: IssuerConfig): Promise<string> {
  const network = openNetwork(config);
  const keys = createKeyRegistry(withoutSnapshots(config), {
    fetcher: network.fetcher,
    log: silentLogger,
    metrics: { jwksFetched: () => undefined, clientKeyFileRefused: () => undefined },
  });
  const settings = introspectionConfigOf(config, issuer, keys.keysOf(issuer));
  if (settings === undefined) throw new Error('not configured');
  const { http, client } = createClient(settings, systemClock);
  try {
    const claims = await createAsk(
      client,
      settings,
      systemClock,
    )(`portcullis-validate-${randomBytes(16).toString('hex')}`);
    if (claims !== undefined) throw new Error('it calls a made-up token active');
    return 'ok, answers to this client';
  } finally {
    await http.close();
    await keys.close();
    await network.close();
  }
}

function withoutSnapshots(config: Config): Config {
  const { snapshotDir: _snapshotDir, ...jwks } = config.jwks;
  return { ...config, jwks };
}

async function readNothing(url: string): Promise<string> {
  const connection = openRedisConnection({
    url,
    clock: systemClock,
    log: silentLogger,
    commandTimeoutMs: REDIS_COMMAND_MS,
  });
  try {
    await connected(connection);
    await connection.get('portcullis:validate');
    return 'ok, answers';
  } finally {
    await connection.close();
  }
}

async function connected(connection: RedisConnection): Promise<void> {
  for (let waitedMs = 0; waitedMs < REDIS_WAIT_MS; waitedMs += REDIS_LOOK_MS) {
    if (connection.isAvailable()) return;
    await delay(REDIS_LOOK_MS);
  }
  throw new Error(`not connected within ${REDIS_WAIT_MS / 1000} s`);
}

async function openStore(settings: Parameters<typeof openTokenStore>[0]): Promise<string> {
  // Asking it would make it.
  if (settings.type === 'sqlite' && !existsSync(settings.path)) return 'ok, is made at the first start';
  const store = await openTokenStore(settings, { clock: systemClock, logger: silentLogger });
  try {
    await store.ping();
    return `ok, ${settings.type} answers`;
  } finally {
    await store.close();
  }
}

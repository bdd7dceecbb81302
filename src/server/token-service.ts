/** The token service with its life cycle: store, client keys, keys of trusted issuers, and what a reload replaces. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProofKeys } from '../authz/dpop/proof-keys.js';
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { Config, IssuerConfig, TokenServiceConfig } from '../config/config.js';
import { openClientKeyDirectory, type ClientKeyDirectory } from '../jwks/client-key-directory.js';
import { systemScheduler } from '../jwks/ports.js';
import { createKeySetRegistry, type KeySetRegistry } from '../jwks/registry.js';
import type { IssuerKeys } from '../jwks/types.js';
import { registrySettingsOf } from '../runtime/key-registry.js';
import { createReplay } from '../runtime/replay.js';
import { createReplayMemory } from '../stores/replay-memory.js';
import { createReplayRedis } from '../stores/replay-redis.js';
import type { ReplayStore } from '../stores/replay-store.js';
import { buildTokenService, type TokenServiceParts } from '../token-service/build.js';
import type { TokenServiceDeps } from '../token-service/token-service-deps.js';
import { createIssuedRevocations, recallRevocations } from '../token-service/issued-revocations.js';
import type { IssuedRevocations } from '../token-service/own-tokens.js';
import { answerAdminError, toAdminError } from '../token-service/admin/admin-error.js';
import { authenticateAdministrator } from '../token-service/admin/administrator.js';
import { createTokenServiceRouter } from '../token-service/router.js';
import type { TokenStore } from '../token-service/store.js';
import { openTokenStore } from '../token-service/stores/open-token-store.js';
import type { Administrators } from './admin-page-service.js';
import type { MountedService, ServiceContext } from './mounted-service.js';
import { REVOCATION, type MountedRevocation } from './revocation-service.js';

/** The token service as other parts of the process use it. */
export interface MountedTokens extends MountedService {
  /** Of the configuration in force. */
  readonly parts: () => TokenServiceParts;
}

/** Its name among the services. */
export const TOKENS = 'tokens';

/** Asks the token service of this process about a personal access token. */
export function personalTokensOf(services: ReadonlyMap<string, MountedService>): AskPersonalToken {
  return (token) => {
    const tokens = services.get(TOKENS) as MountedTokens | undefined;
    return tokens?.parts().direct(token) ?? Promise.resolve({ retryAfterS: 1 });
  };
}

const PING_MS = 5_000;
/** The start waits no longer for what was revoked before it. */
const RECALL_MS = 5_000;
const RETIRE_AFTER_MS = 15_000;
const MAX_ASSERTIONS = 100_000;
/** The longest an assertion may live (RFC 7523), and how far clocks may differ. */
const ASSERTION_WINDOW = { maxAgeMs: 3_600_000, clockToleranceMs: 30_000 };
const RANDOM_BYTES = 12;

/** Opens the token service. @throws Error when its store cannot be opened */
export async function openTokens(context: ServiceContext): Promise<MountedTokens | undefined> {
  const service = context.config.tokens?.service;
  if (service === undefined) return undefined;
  const store = await openTokenStore(service.store, { clock: context.clock, logger: context.log });
  try {
    const opened = new TokensService(context, {
      store,
      assertions: await openAssertions(context),
      replay: await openReplay(context),
    });
    await opened.start();
    return opened;
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Stores {
  readonly store: TokenStore;
  readonly replay: ReplayStore;
  readonly assertions: ReplayStore;
}

class TokensService implements MountedTokens {
  readonly name = TOKENS;
  readonly router = createTokenServiceRouter(() => this.current);
  readonly administrators: Administrators = {
    authorize: (c) => authenticateAdministrator(c, this.current.admin),
    refuse: (c, error) => answerAdminError(c, toAdminError(error, this.context.log)),
  };
  private readonly proofKeys = createProofKeys();
  private readonly registry: KeySetRegistry;
  private readonly revocation: MountedRevocation;
  private current: TokenServiceParts;
  private clients: { readonly dir: string; readonly keys: ClientKeyDirectory } | undefined;
  private trusted: readonly IssuerKeys[] = [];
  private isReachable = true;
  private pinging: NodeJS.Timeout | undefined;

  constructor(
    private readonly context: ServiceContext,
    private readonly stores: Stores,
  ) {
    const { config, clock, log, fetcher, services } = context;
    const revocation = services.get(REVOCATION);
    if (revocation === undefined) throw new Error('the token service needs revocation');
    this.revocation = revocation as MountedRevocation;
    this.registry = createKeySetRegistry({
      settings: registrySettingsOf(config),
      fetcher,
      clock,
      scheduler: systemScheduler,
      // Jitter: nothing secret hangs on it.
      // eslint-disable-next-line no-restricted-properties -- as in the runtime
      random: () => Math.random(),
      logger: log,
      metrics: { fetched: () => undefined },
      snapshots: undefined,
    });
    this.current = this.build(config);
  }

  /** Begins to watch the store. Revocations that were in memory alone are there again before the first Check. */
  async start(): Promise<void> {
    void this.registry.start();
    await Promise.race([this.recallRevocations(), sleep(RECALL_MS)]);
    void this.ping();
    this.pinging = setInterval(() => void this.ping(), PING_MS);
    this.pinging.unref();
  }

  parts = (): TokenServiceParts => this.current;

  lacking(): readonly string[] {
    return this.isReachable ? [] : ['token store'];
  }

  /** The store and its kind are chosen at the start. */
  apply(config: Config): void {
    if (config.tokens?.service === undefined) return;
    this.registry.configure(registrySettingsOf(config));
    this.current = this.build(config);
    setTimeout(() => this.registry.retain(this.trusted), RETIRE_AFTER_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.pinging);
    this.clients?.keys.close();
    await this.registry.close();
    await this.stores.store.close();
  }

  private build(config: Config): TokenServiceParts {
    const { clock, log, metrics } = this.context;
    const issuer = config.tokens?.issuer ?? '';
    const trusted: IssuerKeys[] = [];
    const { service } = this.revocation;
    const parts = buildTokenService(config, {
      ...this.stores,
      proofKeys: this.proofKeys,
      revocations: this.revocationsOf(issuer),
      known: service.list,
      clientKeys: this.clientKeysOf(config.tokens?.service),
      keysOf: this.keysOf(config, trusted),
      introspect: this.context.introspect,
      clock,
      logger: log,
      metrics,
    });
    this.trusted = trusted;
    return parts;
  }

  private revocationsOf(issuer: string): IssuedRevocations {
    const { clock } = this.context;
    return createIssuedRevocations({
      service: this.revocation.service,
      issuer,
      clock,
      random: () => randomBytes(RANDOM_BYTES).toString('base64url'),
      sleep: (ms) => sleep(ms),
    });
  }

  private keysOf(config: Config, trusted: IssuerKeys[]): TokenServiceDeps['keysOf'] {
    return (issuer, source) => {
      if (source === undefined) {
        const entry = config.issuers.find((one) => one.issuer === issuer);
        return this.context.keysOf(entry as IssuerConfig);
      }
      const keys = this.registry.forIssuer({ issuer, source });
      trusted.push(keys);
      return keys;
    };
  }

  private clientKeysOf(service: TokenServiceConfig | undefined): ClientKeyDirectory | undefined {
    const dir = service?.clients?.dir;
    if (dir === this.clients?.dir) return this.clients?.keys;
    this.clients?.keys.close();
    const { clock, log: logger, metrics } = this.context;
    this.clients =
      dir === undefined ? undefined : { dir, keys: openClientKeyDirectory({ dir, clock, logger, metrics }) };
    return this.clients?.keys;
  }

  private async recallRevocations(): Promise<void> {
    const { config, clock, log } = this.context;
    if (config.revocation?.store !== 'memory') return;
    const revocations = this.revocationsOf(config.tokens?.issuer ?? '');
    try {
      await recallRevocations(this.stores.store, revocations, Math.floor(clock.now() / 1000));
    } catch (error) {
      log.error({ err: error }, 'tokens that were issued for revoked ones may be accepted until they expire');
    }
  }

  private async ping(): Promise<void> {
    try {
      await this.stores.store.ping();
      this.isReachable = true;
    } catch (error) {
      if (this.isReachable) this.context.log.warn({ err: error }, 'the token store is out of reach');
      this.isReachable = false;
    }
  }
}

/** Proofs are spent where Checks spend them, so that none serves twice. */
async function openReplay({ config, clock, replay, redis }: ServiceContext): Promise<ReplayStore> {
  if (replay !== undefined) return replay;
  return createReplay({ redis: await redis(), clock, config: () => config });
}

async function openAssertions({ config, clock, redis }: ServiceContext): Promise<ReplayStore> {
  if (config.redis === undefined) return createReplayMemory({ maxEntries: MAX_ASSERTIONS, clock });
  const window = () => ASSERTION_WINDOW;
  return createReplayRedis({ connection: await redis(), clock, window, keyPrefix: 'portcullis:assertion:' });
}

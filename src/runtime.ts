/**
 * What lives as long as a process: caches, stores, connections, metrics. It builds a gate from a configuration, puts
 * it in force, and replaces it as a whole when the configuration changes.
 */
import { randomBytes } from 'node:crypto';
import { createCheckHandler, type CheckHandler } from './fronts/envoy/check.js';
import { createGuard, type Gate, type Guard } from './guard/guard.js';
import { createDecisionIds } from './authz/decision-id.js';
import { createProofKeys } from './authz/dpop/proof-keys.js';
import { createIdentityTokenIssuer, type IdentityTokenIssuer } from './authz/identity/token.js';
import type { AskPersonalToken } from './authz/token/personal.js';
import { TokenCache } from './authz/token/token-cache.js';
import type { Config, IssuerConfig, RevocationConfig } from './config/config.js';
import type { CompileCondition } from './authz/policy/compile.js';
import type { AuthzRequest } from './authz/types.js';
import { buildGate, type GateParts } from './gate.js';
import { createHttpClient, type HttpClient } from './http/bounded-client.js';
import type { Introspector } from './introspection/types.js';
import {
  type AskIntrospection,
  createForwardedIntrospections,
  createIntrospections,
  type Introspections,
} from './introspections.js';
import { createClientIssuerKeys } from './jwks/client-issuer-keys.js';
import { type ClientKeyDirectories, createClientKeyDirectories } from './jwks/client-key-directories.js';
import type { KeySource } from './jwks/key-source.js';
import { createNetworkFetcher } from './jwks/network-fetcher.js';
import { systemScheduler, type KeySetFetcher } from './jwks/ports.js';
import type { IssuerKeysStatus } from './jwks/key-status.js';
import { createKeySetRegistry, type KeySetRegistry, type RegistrySettings } from './jwks/registry.js';
import { createSnapshotStore } from './jwks/snapshot-store.js';
import type { IssuerKeys } from './jwks/types.js';
import { createDecisionLog } from './observability/decision-log.js';
import { createRecentDenials, type RecentDenials } from './observability/recent-denials.js';
import { describeId } from './observability/redact.js';
import { createMetrics, type Metrics } from './observability/metrics.js';
import { systemClock, type Clock, type Logger } from './ports.js';
import { createProtectedResource } from './protected-resource.js';
import { RevocationList } from './revocation/revocation-list.js';
import { readUpdate } from './revocation/shared-revocations.js';
import type { Readiness } from './server/admin.js';
import { createOverloadGuard, everyInterval, type OverloadGuard } from './guard/overload.js';
import { createReplay, proofWindowOf } from './runtime/replay.js';
import { createSharedState, type SharedState } from './runtime/shared-state.js';
import type { PublicDocuments } from './server/public.js';
import { createJwtSigner, type JwtSigner } from './signing/signer.js';
import { createRedisAccess, type RedisAccess } from './stores/redis-access.js';
import { createRedisTexts } from './stores/redis-texts.js';
import type { RedisConnection } from './stores/redis-connection.js';
import type { GuardedReplayStore } from './stores/guarded-replay.js';
import type { ReplayStore } from './stores/replay-store.js';
import { VERSION } from './version.js';

/** What a process brings of its own. */
export interface RuntimeOptions {
  readonly log: Logger;
  /** In a worker: key sets and proofs are the primary's to fetch and to remember. */
  readonly primary?: {
    readonly fetcher: KeySetFetcher;
    /** undefined: Redis does. */ readonly replay: ReplayStore | undefined;
    /** undefined: issuers are asked from here. */ readonly introspect?: AskIntrospection;
  };
  /** Asks the process that owns the token store; undefined: personal access tokens cannot be verified here. */
  readonly askPersonalToken?: AskPersonalToken;
  /** In the primary of workers: it answers no Check, so it keeps no keys of its own. */
  readonly keepsKeys?: boolean;
}

/** A process' part of the product. */
export interface Runtime {
  readonly guard: Guard;
  readonly handler: CheckHandler;
  /** Of the configuration in force. */
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly documents: PublicDocuments;
  /** Asks issuers; for workers, and for nobody else. */
  readonly fetcher: KeySetFetcher;
  readonly replay: ReplayStore;
  /** The one Redis connection of the process. */
  readonly redis: RedisAccess;
  /** What another process, or a service beside, knows and Checks are judged by. */
  readonly state: SharedState;
  /** The keys of an issuer of the configuration. */
  keysOf(issuer: IssuerConfig): IssuerKeys;
  /** Asks issuers about tokens; for workers, and for nobody else. */
  readonly introspect: AskIntrospection;
  /** What was refused lately; undefined: the page that shows it is not configured. */
  readonly denials: RecentDenials | undefined;
  /** The key sets that tokens are verified with. */
  keyStatus(): readonly IssuerKeysStatus[];
  /** Puts a configuration in force as a whole. @throws when it cannot be; the old one stays */
  apply(config: Config): Promise<void>;
  readiness(): Readiness;
  status(): object;
  /** @returns undefined when the issuer is not configured */
  invalidate(issuer: string | undefined, drop: boolean): Promise<readonly object[] | undefined>;
  close(): Promise<void>;
}

/** Keys that only the old configuration knew go when its last Check must have ended. */
const RETIRE_AFTER_MS = 15_000;

/** Builds the process' part from its first configuration. Opens no port. */
export async function createRuntime(config: Config, options: RuntimeOptions): Promise<Runtime> {
  const compileCondition = await loadConditions(config);
  const redis = createRedisAccess(config.redis?.url, { clock: systemClock, log: options.log });
  return new ProcessRuntime(config, options, {
    redis,
    forReplay: spendsInRedis(config, options) ? await redis.open() : undefined,
    compileCondition,
  });
}

/** What is loaded only where the configuration asks for it. */
interface OptionalParts {
  readonly redis: RedisAccess;
  /** undefined: spent proofs are remembered elsewhere. */
  readonly forReplay: RedisConnection | undefined;
  readonly compileCondition: CompileCondition | undefined;
}

/** CEL, where a policy has a condition. */
async function loadConditions({ policies }: Config): Promise<CompileCondition | undefined> {
  if (!Object.values(policies).some((policy) => policy.when !== undefined)) return undefined;
  return (await import('./authz/policy/condition.js')).compileCondition;
}

function spendsInRedis({ replay }: Config, { primary, keepsKeys }: RuntimeOptions): boolean {
  return replay.store === 'redis' && primary?.replay === undefined && keepsKeys !== false;
}

class ProcessRuntime implements Runtime {
  readonly guard: Guard;
  readonly handler: CheckHandler;
  readonly metrics = createMetrics(VERSION);
  readonly documents: PublicDocuments;
  readonly denials: RecentDenials | undefined;
  readonly fetcher: KeySetFetcher;
  readonly replay: ReplayStore;
  /** undefined: the primary's. */
  private readonly ownReplay: GuardedReplayStore | undefined;
  private readonly revocations: RevocationList | undefined;
  readonly redis: RedisAccess;
  readonly state = createSharedState();
  private readonly clock: Clock = systemClock;
  private readonly http: HttpClient;
  private readonly registry: KeySetRegistry;
  private readonly proofKeys = createProofKeys();
  private readonly overload: OverloadGuard;
  private tokenCache: TokenCache | undefined;
  private signer: JwtSigner | undefined;
  private readonly introspections: Introspections;
  private readonly clientIssuers = new Map<string, { readonly keys: IssuerKeys; readonly dir: string }>();
  private readonly clientDirectories: ClientKeyDirectories;
  private keys: readonly IssuerKeys[] = [];
  gate: Gate;

  constructor(
    private config: Config,
    private readonly options: RuntimeOptions,
    optional: OptionalParts,
  ) {
    this.revocations =
      config.revocation === undefined ? undefined : this.createRevocations(config.revocation);
    this.redis = optional.redis;
    this.denials = config.tokens?.service?.admin === true ? createRecentDenials(this.clock) : undefined;
    this.http = createHttpClient(httpLimitsOf(config));
    this.fetcher = options.primary?.fetcher ?? createNetworkFetcher(this.http, { clock: this.clock });
    this.registry = this.createRegistry();
    this.ownReplay =
      options.primary?.replay === undefined
        ? createReplay({ redis: optional.forReplay, clock: this.clock, config: () => this.config })
        : undefined;
    this.replay = this.ownReplay ?? (options.primary?.replay as ReplayStore);
    this.introspections = this.createIntrospections();
    this.clientDirectories = createClientKeyDirectories({
      clock: this.clock,
      logger: options.log,
      metrics: this.metrics,
    });
    this.tokenCache = createTokenCache(config);
    this.gate = this.build(config, {
      tokenCache: this.tokenCache,
      compileCondition: optional.compileCondition,
    });
    this.guard = this.createGuard();
    this.handler = createCheckHandler(this.guard, {
      maxMessageBytes: () => this.config.server.limits.maxMessageBytes,
    });
    this.overload = createOverloadGuard({
      limitMs: () => this.config.server.limits.eventLoopDelay,
      answered: () => this.guard.answered,
      stopwatch,
      every: everyInterval,
    });
    this.documents = {
      jwks: () => this.signer?.jwks,
      protectedResource: createProtectedResource(() => this.config),
    };
    this.metrics.observe(this.measured());
    if (options.keepsKeys !== false) void this.registry.start();
  }

  keysOf(issuer: IssuerConfig): IssuerKeys {
    const { clientKeys } = issuer;
    if (clientKeys !== undefined) return this.clientKeysOf(issuer.issuer, clientKeys);
    return this.registry.forIssuer({ issuer: issuer.issuer, source: keySourceOf(issuer) });
  }

  /** The same object while the entry stays the same, so that a reload forgets no token. */
  private clientKeysOf(issuer: string, { claim, dir }: { claim: string; dir: string }): IssuerKeys {
    const id = JSON.stringify([issuer, claim, dir]);
    const known = this.clientIssuers.get(id);
    if (known !== undefined) return known.keys;
    const keys = createClientIssuerKeys(issuer, claim, this.clientDirectories.open(dir));
    this.clientIssuers.set(id, { keys, dir });
    return keys;
  }

  private retireClientKeys(): void {
    for (const [id, { keys }] of this.clientIssuers) {
      if (!this.keys.includes(keys)) this.clientIssuers.delete(id);
    }
    this.clientDirectories.retain([...this.clientIssuers.values()].map(({ dir }) => dir));
  }

  async apply(config: Config): Promise<void> {
    const compileCondition = await loadConditions(config);
    const cacheChanged = JSON.stringify(config.tokenCache) !== JSON.stringify(this.config.tokenCache);
    const cache = cacheChanged ? createTokenCache(config) : this.tokenCache;
    try {
      this.gate = this.build(config, { tokenCache: cache, compileCondition });
    } catch (error) {
      // What was created for it must not go on fetching.
      this.registry.retain(this.keys);
      throw error;
    }
    this.registry.configure(registrySettingsOf(config));
    this.ownReplay?.reconfigure(proofWindowOf(config));
    this.tokenCache = cache;
    this.config = config;
    setTimeout(() => {
      this.registry.retain(this.keys);
      this.introspections.retire();
      this.retireClientKeys();
    }, RETIRE_AFTER_MS).unref();
  }

  readiness(): Readiness {
    const lacking = [...this.registry.lacking()];
    if (
      this.config.dpop.mode !== 'off' &&
      !this.replay.isAvailable() &&
      this.config.replay.onUnavailable === 'deny'
    ) {
      lacking.push('replay store');
    }
    if (this.lacksRevocations()) lacking.push('revocation store');
    return { ready: lacking.length === 0, lacking };
  }

  /** Every token would be refused, since nobody knows which are revoked. */
  private lacksRevocations(): boolean {
    const { revocations } = this;
    const { revocation } = this.config;
    if (revocations === undefined || revocation?.onUnavailable === 'allow') return false;
    return revocations.staleForMs(this.clock.now()) > (revocation?.maxStale ?? 0);
  }

  keyStatus(): readonly IssuerKeysStatus[] {
    return this.registry.status();
  }

  status(): object {
    return {
      version: VERSION,
      issuers: this.registry.status(),
      tokenCache: this.tokenCache && { entries: this.tokenCache.entries, bytes: this.tokenCache.bytes },
      replay: {
        store: this.config.replay.store,
        entries: this.replay.entries,
        available: this.replay.isAvailable(),
      },
      revocations: this.revocations && {
        store: this.config.revocation?.store,
        entries: this.revocations.index.size,
        inStep: this.revocations.staleForMs(this.clock.now()) === 0,
      },
      checks: { waiting: this.guard.waiting, overloaded: this.overload.isOverloaded() },
    };
  }

  async invalidate(issuer: string | undefined, drop: boolean): Promise<readonly object[] | undefined> {
    if (issuer !== undefined && !this.config.issuers.some((one) => one.issuer === issuer)) return undefined;
    return this.registry.invalidate(issuer, { drop });
  }

  get introspect(): AskIntrospection {
    return this.introspections.ask;
  }

  async close(): Promise<void> {
    this.overload.stop();
    await this.introspections.close();
    this.clientDirectories.close();
    await this.registry.close();
    await this.replay.close();
    this.revocations?.close();
    await this.redis.close();
    await this.http.close();
  }

  /** Nothing is changed until everything is built, so a configuration that fails here leaves no trace. */
  private build(config: Config, given: Pick<GateParts, 'tokenCache' | 'compileCondition'>): Gate {
    const keys: IssuerKeys[] = [];
    const introspectors: Introspector[] = [];
    const keysOf = (issuer: IssuerConfig): IssuerKeys => {
      const own = this.keysOf(issuer);
      keys.push(own);
      return own;
    };
    const signer = config.tokens === undefined ? undefined : createJwtSigner(config.tokens.keys);
    const identityTokens = createIdentityTokens(config, signer);
    const gate = buildGate(config, {
      keysOf,
      introspectorOf: (issuer) => {
        if (issuer.introspection === undefined) return undefined;
        const own = this.introspections.forIssuer(config, issuer, keysOf(issuer));
        if (own !== undefined) introspectors.push(own);
        return own;
      },
      ownKeys: this.ownKeysOf(config, signer, keys),
      askPersonalToken: this.options.askPersonalToken ?? NO_PERSONAL_TOKENS,
      tokenCache: given.tokenCache,
      compileCondition: given.compileCondition,
      revocations: this.revocations,
      replay: this.replay,
      proofKeys: this.proofKeys,
      identityTokens,
      metrics: this.metrics.gate,
      onShadowDifference: ({ requestId, ...fields }) =>
        this.options.log.info({ ...fields, requestId: describeId(requestId) }, 'shadow policy differs'),
      clock: this.clock,
      onInternalError: (error, request) => this.reportInternalError(error, request),
    });
    this.keys = keys;
    this.introspections.use(introspectors);
    this.signer = signer;
    return gate;
  }

  /** The keys of our own issuer are an issuer's keys like others; they are just not fetched. */
  private ownKeysOf(
    { tokens }: Config,
    signer: JwtSigner | undefined,
    keys: IssuerKeys[],
  ): IssuerKeys | undefined {
    if (tokens?.service === undefined || signer === undefined) return undefined;
    const own = this.registry.forIssuer({
      issuer: tokens.issuer,
      source: { kind: 'jwks', jwks: signer.jwks },
    });
    keys.push(own);
    return own;
  }

  /** Empty is all there is to know where revocations begin in the memory of this very process; else it is to be told. */
  private createRevocations({ store }: RevocationConfig): RevocationList {
    const list = new RevocationList({ clock: this.clock, every: everyInterval });
    if (store !== 'memory' || this.options.primary !== undefined) list.staleSinceMs = -Infinity;
    this.state.subscribe('revocations', (value) => list.update(readUpdate(value)));
    return list;
  }

  private createGuard(): Guard {
    const logDecision = createDecisionLog(this.options.log, () => this.config.log.decisions);
    return createGuard({
      gate: () => this.gate,
      concurrentChecks: () => this.config.server.limits.concurrentChecks,
      isOverloaded: () => this.overload.isOverloaded(),
      observer: {
        decided: (decision, durationMs) => {
          this.metrics.decided(decision, durationMs);
          logDecision(decision, durationMs);
          this.denials?.note(decision);
        },
      },
      onInternalError: (error, request) => this.reportInternalError(error, request),
      nextId: createDecisionIds(randomBytes),
      clock: this.clock,
      stopwatch,
    });
  }

  private reportInternalError(err: unknown, { requestId }: AuthzRequest): void {
    this.options.log.error({ err, requestId: describeId(requestId) }, 'internal error');
  }

  private createRegistry(): KeySetRegistry {
    const { log } = this.options;
    const { snapshotDir } = this.config.jwks;
    return createKeySetRegistry({
      settings: registrySettingsOf(this.config),
      fetcher: this.fetcher,
      clock: this.clock,
      scheduler: systemScheduler,
      // Jitter: nothing secret hangs on it.
      // eslint-disable-next-line no-restricted-properties -- this is the one place where it is injected from
      random: () => Math.random(),
      logger: log,
      metrics: { fetched: (issuer, outcome) => this.metrics.jwksFetched(issuer, outcome) },
      snapshots: snapshotDir === undefined ? undefined : createSnapshotStore(snapshotDir, { logger: log }),
    });
  }

  private createIntrospections(): Introspections {
    const { log, primary, keepsKeys } = this.options;
    if (primary?.introspect !== undefined) return createForwardedIntrospections(primary.introspect);
    return createIntrospections({
      clock: this.clock,
      logger: log,
      metrics: this.metrics,
      stopwatch,
      store: this.config.redis === undefined ? undefined : createRedisTexts(this.redis),
      remembers: keepsKeys === false,
    });
  }

  private measured() {
    return {
      keySets: () =>
        this.registry.status().map((row) => ({
          issuer: row.issuer,
          ageSeconds: row.ageMs === undefined ? undefined : row.ageMs / 1000,
          keys: row.keyCount,
        })),
      replayEntries: () => this.replay.entries,
      tokenCacheEntries: () => this.tokenCache?.entries ?? 0,
      checksWaiting: () => this.guard.waiting,
      logLinesDropped: () => this.options.log.droppedLines ?? 0,
    };
  }
}

const NO_PERSONAL_TOKENS: AskPersonalToken = () => Promise.resolve({ retryAfterS: 1 });

function stopwatch(): number {
  return performance.now();
}

function httpLimitsOf({ jwks }: Config) {
  return { timeoutMs: jwks.timeout, maxBytes: jwks.maxBytes, allowHttp: jwks.allowHttp };
}

export function registrySettingsOf({ jwks }: Config): RegistrySettings {
  return {
    maxIssuers: jwks.maxIssuers,
    minTtlMs: jwks.minTtl,
    maxTtlMs: jwks.maxTtl,
    cooldownMs: jwks.cooldown,
    staleIfErrorMs: jwks.staleIfError,
    timeoutMs: jwks.timeout,
    maxBytes: jwks.maxBytes,
    allowHttp: jwks.allowHttp,
  };
}

export function keySourceOf({ discovery, jwksUri, jwks, keys }: IssuerConfig): KeySource {
  if (jwksUri !== undefined) return { kind: 'jwksUri', jwksUri };
  if (jwks !== undefined) return { kind: 'jwks', jwks };
  if (keys !== undefined) return { kind: 'keys', keys };
  return typeof discovery === 'string'
    ? { kind: 'discovery', metadataUrl: discovery }
    : { kind: 'discovery' };
}

function createTokenCache({ tokenCache }: Config): TokenCache | undefined {
  if (tokenCache.maxEntries === 0 || tokenCache.maxBytes === 0) return undefined;
  return new TokenCache(tokenCache);
}

function createIdentityTokens(
  { identity, tokens }: Config,
  signer: JwtSigner | undefined,
): IdentityTokenIssuer | undefined {
  if (identity.token === undefined || tokens === undefined || signer === undefined) return undefined;
  const { audience, ttl } = identity.token;
  return createIdentityTokenIssuer({
    issuer: tokens.issuer,
    signer,
    audience,
    ttlMs: ttl,
  });
}

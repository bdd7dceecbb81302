/**
 * What lives as long as a process: caches, stores, connections, metrics. It builds a gate from a configuration, puts
 * it in force, and replaces it as a whole when the configuration changes.
 */
import { createCheckHandler, type CheckHandler } from '../fronts/envoy/check.js';
import type { Guard } from '../guard/guard.js';
import { createProofKeys } from '../authz/dpop/proof-keys.js';
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { TokenCache } from '../authz/token/token-cache.js';
import type { Config, IssuerConfig } from '../config/config.js';
import type { AuthzRequest } from '../authz/types.js';
import { buildGate, type BuiltGate, type GateParts } from '../gate.js';
import type { Introspector } from '../introspection/types.js';
import {
  createForwardedIntrospections,
  type AskIntrospection,
  type Introspections,
} from '../introspections.js';
import type { KeySetFetcher } from '../jwks/ports.js';
import type { IssuerKeys } from '../jwks/types.js';
import { describeId } from '../observability/redact.js';
import { createRecentDenials, type RecentDenials } from '../observability/recent-denials.js';
import { createMetrics } from '../observability/metrics.js';
import type { Metrics } from '../observability/metric-ports.js';
import type { Tracing } from '../observability/tracing/open-tracing.js';
import { tracedFetcher, tracedIntrospector, tracedReplay } from '../observability/tracing/traced-ports.js';
import { systemClock, type Clock } from '../ports.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import { createOverloadGuard, everyInterval, type OverloadGuard } from '../guard/overload.js';
import { createCheckGuard, stopwatch } from './check-guard.js';
import {
  createIdentityTokens,
  createTokenCache,
  loadConditions,
  loadTracing,
  type OptionalParts,
} from './gate-parts.js';
import { createKeyRegistry, type KeyRegistry } from './key-registry.js';
import { openIntrospections } from './introspections.js';
import { openNetwork, type Network } from './network.js';
import { createReplay, proofWindowOf } from './replay.js';
import { createRevocationList } from './revocations.js';
import { createSharedState } from './shared-state.js';
import { measuredStateOf, readinessOf, statusOf, type ObservedParts, type Readiness } from './status.js';
import { createRedisAccess, type RedisAccess } from '../stores/redis-access.js';
import type { GuardedReplayStore } from '../stores/guarded-replay.js';
import type { ReplayStore } from '../stores/replay-store.js';
import { VERSION } from '../version.js';
import type { Runtime, RuntimeOptions } from './runtime-contract.js';

const NO_PERSONAL_TOKENS: AskPersonalToken = () => Promise.resolve({ retryAfterS: 1 });

/** Keys that only the old configuration knew go when its last Check must have ended. */
const RETIRE_AFTER_MS = 15_000;

/** Builds the process' part from its first configuration. Opens no port. */
export async function createRuntime(config: Config, options: RuntimeOptions): Promise<Runtime> {
  const compileCondition = await loadConditions(config);
  const redis = createRedisAccess(config.redis?.url, { clock: systemClock, log: options.log });
  return new ProcessRuntime(config, options, {
    tracing: await loadTracing(config, options.log),
    redis,
    forReplay: spendsInRedis(config, options) ? await redis.open() : undefined,
    compileCondition,
  });
}

function spendsInRedis({ replay }: Config, { borrowed }: RuntimeOptions): boolean {
  return replay.store === 'redis' && borrowed?.replay === undefined;
}

class ProcessRuntime implements Runtime {
  readonly guard: Guard;
  readonly handler: CheckHandler;
  readonly metrics: Metrics;
  readonly fetcher: KeySetFetcher;
  readonly replay: ReplayStore;
  /** undefined: another process'. */
  private readonly ownReplay: GuardedReplayStore | undefined;
  private readonly revocations: RevocationList | undefined;
  private readonly introspections: Introspections;
  readonly introspect: AskIntrospection = (question) => this.introspections.ask(question);
  readonly redis: RedisAccess;
  readonly state = createSharedState();
  private readonly clock: Clock = systemClock;
  /** undefined: another process asks issuers. */
  private readonly network: Network | undefined;
  readonly keys: KeyRegistry;
  readonly denials: RecentDenials | undefined;
  private readonly observed: ObservedParts;
  private readonly proofKeys = createProofKeys();
  private readonly overload: OverloadGuard;
  private readonly tracing: Tracing | undefined;
  private tokenCache: TokenCache | undefined;
  private keysInUse: readonly IssuerKeys[] = [];
  gate: BuiltGate;

  constructor(
    private config: Config,
    private readonly options: RuntimeOptions,
    optional: OptionalParts,
  ) {
    this.metrics = createMetrics(VERSION, { ofProcess: options.measuresProcess ?? true });
    this.revocations = createRevocationList(config, {
      state: this.state,
      clock: this.clock,
      beginsHere: options.borrowed === undefined,
    });
    this.redis = optional.redis;
    this.tracing = optional.tracing;
    const tracer = this.tracing?.tracer;
    const { log, borrowed } = options;
    const { metrics, clock } = this;
    this.network = borrowed === undefined ? openNetwork(config) : undefined;
    this.fetcher = borrowed?.fetcher ?? (this.network as Network).fetcher;
    const fetcher = tracer === undefined ? this.fetcher : tracedFetcher(this.fetcher, tracer);
    this.keys = createKeyRegistry(config, { fetcher, log, metrics });
    this.ownReplay =
      borrowed?.replay === undefined
        ? createReplay({ redis: optional.forReplay, clock, config: () => this.config })
        : undefined;
    this.replay = this.ownReplay ?? (borrowed?.replay as ReplayStore);
    this.introspections =
      borrowed?.introspect === undefined
        ? openIntrospections(config, { log, metrics, redis: this.redis, remembers: false })
        : createForwardedIntrospections(borrowed.introspect);
    this.tokenCache = createTokenCache(config);
    this.gate = this.build(config, {
      tokenCache: this.tokenCache,
      compileCondition: optional.compileCondition,
    });
    this.denials = config.tokens?.service?.admin === true ? createRecentDenials(clock) : undefined;
    this.guard = createCheckGuard({
      gate: () => this.gate,
      config: () => this.config,
      isOverloaded: () => this.overload.isOverloaded(),
      ...{ metrics, log, clock },
      denials: this.denials,
      audit: options.audit,
      tracer,
      onInternalError: (error, request) => this.reportInternalError(error, request),
    });
    this.handler = createCheckHandler(this.guard, {
      maxMessageBytes: () => this.config.server.limits.maxMessageBytes,
      isTraced: tracer !== undefined,
    });
    this.overload = createOverloadGuard({
      limitMs: () => this.config.server.limits.eventLoopDelay,
      answered: () => this.guard.answered,
      stopwatch,
      every: everyInterval,
    });
    this.observed = this.observedParts();
    this.metrics.observe(measuredStateOf(this.observed));
    void this.keys.start();
  }

  async apply(config: Config): Promise<void> {
    const compileCondition = await loadConditions(config);
    const cacheChanged = JSON.stringify(config.tokenCache) !== JSON.stringify(this.config.tokenCache);
    const cache = cacheChanged ? createTokenCache(config) : this.tokenCache;
    try {
      this.gate = this.build(config, { tokenCache: cache, compileCondition });
    } catch (error) {
      // What was created for it must not go on fetching.
      this.keys.retain(this.keysInUse);
      throw error;
    }
    this.keys.configure(config);
    this.ownReplay?.reconfigure(proofWindowOf(config));
    this.tokenCache = cache;
    this.config = config;
    if (config.tracing !== undefined) this.tracing?.sample(config.tracing.sampler);
    setTimeout(() => {
      this.keys.retain(this.keysInUse);
      this.introspections.retire();
    }, RETIRE_AFTER_MS).unref();
  }

  readiness(): Readiness {
    return readinessOf(this.observed);
  }

  status(): object {
    return statusOf(this.observed);
  }

  async invalidate(issuer: string | undefined, drop: boolean): Promise<readonly object[] | undefined> {
    if (issuer !== undefined && !this.config.issuers.some((one) => one.issuer === issuer)) return undefined;
    return this.keys.invalidate(issuer, { drop });
  }

  async close(): Promise<void> {
    this.overload.stop();
    await this.introspections.close();
    await this.keys.close();
    await this.replay.close();
    this.revocations?.close();
    await this.redis.close();
    await this.network?.close();
    await this.tracing?.close();
  }

  /** Nothing is changed until everything is built, so a configuration that fails here leaves no trace. */
  private build(config: Config, given: Pick<GateParts, 'tokenCache' | 'compileCondition'>): BuiltGate {
    const tracer = this.tracing?.tracer;
    const keys: IssuerKeys[] = [];
    const introspectors: Introspector[] = [];
    const noted = <K extends IssuerKeys | undefined>(own: K): K => {
      if (own !== undefined) keys.push(own);
      return own;
    };
    const keysOf = (issuer: IssuerConfig): IssuerKeys => noted(this.keys.keysOf(issuer));
    const gate = buildGate(config, {
      keysOf,
      introspectorOf: (issuer) => {
        if (issuer.introspection === undefined) return undefined;
        const own = this.introspections.forIssuer(config, issuer, keysOf(issuer));
        if (own === undefined) return undefined;
        introspectors.push(own);
        return tracer === undefined ? own : tracedIntrospector(own, tracer);
      },
      tokenCache: given.tokenCache,
      compileCondition: given.compileCondition,
      revocations: this.revocations,
      replay: tracer === undefined ? this.replay : tracedReplay(this.replay, tracer),
      proofKeys: this.proofKeys,
      identityTokens: createIdentityTokens(config),
      ownKeys: noted(this.keys.ownKeys(config)),
      askPersonalToken: this.options.askPersonalToken ?? NO_PERSONAL_TOKENS,
      metrics: this.metrics.gate,
      onShadowDifference: ({ requestId, ...fields }) =>
        this.options.log.info({ ...fields, requestId: describeId(requestId) }, 'shadow policy differs'),
      clock: this.clock,
      onInternalError: (error, request) => this.reportInternalError(error, request),
    });
    this.keysInUse = keys;
    this.introspections.use(introspectors);
    return gate;
  }

  private reportInternalError(err: unknown, { requestId }: AuthzRequest): void {
    this.options.log.error({ err, requestId: describeId(requestId) }, 'internal error');
  }

  private observedParts(): ObservedParts {
    const { keys, replay, revocations, guard, overload, clock } = this;
    return {
      ...{ keys, replay, revocations, guard, overload, clock, log: this.options.log },
      audit: this.options.audit,
      tracing: this.tracing,
      config: () => this.config,
      tokenCache: () => this.tokenCache,
    };
  }
}

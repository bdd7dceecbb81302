/** What a process that answers Checks says of itself: readiness, status, gauges. */
import type { TokenCache } from '../authz/token/token-cache.js';
import type { Config } from '../config/config.js';
import type { Guard } from '../guard/guard.js';
import type { OverloadGuard } from '../guard/overload.js';
import type { AuditLog } from '../observability/audit/audit-log.js';
import type { MeasuredState } from '../observability/metric-ports.js';
import type { Tracing } from '../observability/tracing/open-tracing.js';
import type { Clock, Logger } from '../ports.js';
import type { RevocationList } from '../revocation/revocation-list.js';
import type { ReplayStore } from '../stores/replay-store.js';
import { VERSION } from '../version.js';
import type { KeyRegistry } from './key-registry.js';

/** Can every request be decided? */
export interface Readiness {
  readonly ready: boolean;
  /** Issuers without keys, and other dependencies that are missing; from the configuration. */
  readonly lacking: readonly string[];
}

/** The parts that are asked. What a reload replaces is read each time. */
export interface ObservedParts {
  readonly config: () => Config;
  readonly keys: KeyRegistry;
  readonly replay: ReplayStore;
  /** undefined: revocation is off. */
  readonly revocations: RevocationList | undefined;
  readonly tokenCache: () => TokenCache | undefined;
  readonly guard: Guard;
  readonly overload: OverloadGuard;
  readonly log: Logger;
  readonly audit: Pick<AuditLog, 'lostLines'> | undefined;
  readonly tracing: Pick<Tracing, 'counts'> | undefined;
  readonly clock: Clock;
}

/** Says what is missing for decisions. */
export function readinessOf({ config, keys, replay, revocations, clock }: ObservedParts): Readiness {
  const { dpop, replay: replayConfig, revocation } = config();
  const lacking = [...keys.lacking()];
  if (dpop.mode !== 'off' && !replay.isAvailable() && replayConfig.onUnavailable === 'deny')
    lacking.push('replay store');
  // Every token would be refused, since nobody knows which are revoked.
  const isStale =
    revocations !== undefined && revocations.staleForMs(clock.now()) > (revocation?.maxStale ?? 0);
  if (isStale && revocation?.onUnavailable !== 'allow') lacking.push('revocation store');
  return { ready: lacking.length === 0, lacking };
}

/** For `/status`. Holds no key material and no credential. */
export function statusOf(parts: ObservedParts): object {
  const { config, keys, replay, revocations, guard, overload, clock } = parts;
  const tokenCache = parts.tokenCache();
  const { grpc, http } = config().server;
  return {
    version: VERSION,
    fronts: { grpc, http: http && { address: http.address, style: http.style } },
    issuers: keys.status(),
    tokenCache: tokenCache && { entries: tokenCache.entries, bytes: tokenCache.bytes },
    replay: {
      store: config().replay.store,
      entries: replay.entries,
      available: replay.isAvailable(),
    },
    revocations: revocations && {
      store: config().revocation?.store,
      entries: revocations.index.size,
      inStep: revocations.staleForMs(clock.now()) === 0,
    },
    checks: { waiting: guard.waiting, overloaded: overload.isOverloaded() },
  };
}

/** For the gauges of `/metrics`. */
export function measuredStateOf(parts: ObservedParts): MeasuredState {
  const { keys, replay, tokenCache, guard, log, audit, tracing } = parts;
  return {
    keySets: () =>
      keys.status().map((row) => ({
        issuer: row.issuer,
        ageSeconds: row.ageMs === undefined ? undefined : row.ageMs / 1000,
        keys: row.keyCount,
      })),
    replayEntries: () => replay.entries,
    tokenCacheEntries: () => tokenCache()?.entries ?? 0,
    checksWaiting: () => guard.waiting,
    logLinesDropped: () => log.droppedLines ?? 0,
    auditLinesLost: () => audit?.lostLines ?? 0,
    spans: tracing?.counts,
  };
}

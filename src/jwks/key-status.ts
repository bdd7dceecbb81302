import type { FetchedIssuerKeys } from './fetched-issuer-keys.js';
import type { SkippedKeys } from './key-set.js';
import type { StaticIssuerKeys } from './static-keys.js';

/** What can be told of an issuer's keys. Holds no key material. */
export interface IssuerKeysStatus {
  readonly issuer: string;
  /** There are keys to decide with; or they were unloaded because other issuers are used more. */
  readonly ready: boolean;
  /** Where the present keys come from; `evicted`: they are fetched at the next use. */
  readonly source: 'static' | 'network' | 'snapshot' | 'evicted' | 'none';
  readonly keyCount: number;
  /** Since the present keys were asked for; undefined for static keys, and where there are none. */
  readonly ageMs: number | undefined;
  /** Why the last attempt failed; undefined after a success. */
  readonly lastError: string | undefined;
  /** Attempts that failed since the last success. */
  readonly failures: number;
  readonly generation: number;
  /** Published keys that are not used, by reason. */
  readonly skipped: SkippedKeys;
}

/**
 * Describes configured keys.
 *
 * @param keys of one issuer
 */
export function describeStatic({ issuer, set, generation }: StaticIssuerKeys): IssuerKeysStatus {
  const { keys, skipped } = set;
  const fixed = {
    ready: true,
    source: 'static',
    ageMs: undefined,
    lastError: undefined,
    failures: 0,
  } as const;
  return { issuer, ...fixed, keyCount: keys.length, generation, skipped };
}

/**
 * Describes fetched keys.
 *
 * @param keys of one issuer
 * @param nowMs milliseconds since the epoch
 */
export function describeFetched(keys: FetchedIssuerKeys, nowMs: number): IssuerKeysStatus {
  const { issuer, latest, lastError, failures, generation, evicted } = keys;
  return {
    issuer,
    ready: evicted || keys.isReady(nowMs),
    source: latest?.source ?? (evicted ? 'evicted' : 'none'),
    keyCount: latest?.set.keys.length ?? 0,
    ageMs: latest === undefined ? undefined : Math.max(0, nowMs - latest.fetchedAtMs),
    lastError,
    failures,
    generation,
    skipped: latest?.set.skipped ?? {},
  };
}

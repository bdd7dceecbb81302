/** What key sets borrow from outside: the network (or another process), a timer, randomness, a place to count. */
import type { JsonObject } from '../ports.js';
import type { KeySetFailureCode } from './key-set-error.js';
import type { FetchedSource } from './key-source.js';

/** How fetched key sets are kept; the `jwks` section of the configuration. */
export interface KeySetSettings {
  /** A fetched set is kept at least this long, whatever its header fields say. */
  readonly minTtlMs: number;
  /** And at most this long. 0: fetched again for every token. */
  readonly maxTtlMs: number;
  /** An unknown kid refetches at most this often, an issuer at a time. */
  readonly cooldownMs: number;
  /** How long past its expiry the last good set is served while the issuer fails. */
  readonly staleIfErrorMs: number;
  /** For everything one fetch needs: metadata and key set. */
  readonly timeoutMs: number;
  /** Of a document. */
  readonly maxBytes: number;
  /** Plain http to other hosts than the loopback. */
  readonly allowHttp: boolean;
}

/** A question to a fetcher. All but `signal` is plain data, so that it can go to another process. */
export interface KeySetRequest {
  readonly issuer: string;
  readonly source: FetchedSource;
  readonly settings: KeySetSettings;
  /** The metadata is asked for again, even where it is remembered. */
  readonly rediscover: boolean;
  /** Gives the fetch up. */
  readonly signal?: AbortSignal;
}

/** A key set as it was published: nothing in it has been judged yet. */
export interface FetchedKeySet {
  readonly jwks: JsonObject;
  /** What the issuer's header fields allow, milliseconds; undefined: they say nothing. */
  readonly ttlMs: number | undefined;
  /** When it was asked for, milliseconds since the epoch. */
  readonly fetchedAtMs: number;
}

/** Brings key sets. Separates the network from the caching: a worker may get sets from its primary. */
export interface KeySetFetcher {
  /**
   * Fetches once. Must settle within `settings.timeoutMs`.
   *
   * @throws HttpError, KeySetError
   */
  fetch(request: KeySetRequest): Promise<FetchedKeySet>;
}

/** Takes back what was scheduled. */
export type Cancel = () => void;

/** Runs something later. */
export interface Scheduler {
  /** @param delayMs at most 24 days, as timers go */
  after(delayMs: number, run: () => void): Cancel;
}

/** Timers that do not keep the process alive. */
export const systemScheduler: Scheduler = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A number in [0, 1), for jitter; nothing secret hangs on it. */
export type RandomFraction = () => number;

/** What a fetch came to. Ages and key counts are read from `KeySetRegistry.status()` when metrics are scraped. */
export interface KeySetMetrics {
  /** @param issuer from the configuration */
  fetched(issuer: string, outcome: 'success' | KeySetFailureCode): void;
}

import { LRUCache } from 'lru-cache';
import { FetchedIssuerKeys } from './fetched-issuer-keys.js';
import type { FetchedKeysDependencies } from './fetched-keys-dependencies.js';
import {
  type FetchedSource,
  isFetchedSource,
  type IssuerKeysConfig,
  type StaticSource,
} from './key-source.js';
import { describeFetched, describeStatic, type IssuerKeysStatus } from './key-status.js';
import type { KeySetSettings } from './ports.js';
import { parseStaticKeys, StaticIssuerKeys } from './static-keys.js';
import type { IssuerKeys } from './types.js';

/** The settings of a registry. */
export interface RegistrySettings extends KeySetSettings {
  /** Issuers whose fetched keys are held at a time; the one used longest ago is unloaded. */
  readonly maxIssuers: number;
}

/** What a registry borrows from outside. */
export interface RegistryDependencies extends Omit<
  FetchedKeysDependencies,
  'settings' | 'nextGeneration' | 'used'
> {
  readonly settings: RegistrySettings;
}

/** What came of an invalidation, an issuer. */
export interface InvalidationOutcome {
  readonly issuer: string;
  /** The keys were fetched again, or are static. */
  readonly ok: boolean;
  /** Why not. */
  readonly error: string | undefined;
  /** Keys that may be used now. */
  readonly keyCount: number;
}

/** The key sets of all issuers. It outlives configurations. */
export interface KeySetRegistry {
  /**
   * The keys of an issuer. An unchanged entry gets the very same object, keys and all; a changed one a new object, and
   * the old one goes on until `retain`.
   *
   * @throws KeySourceError where configured keys cannot be used
   */
  forIssuer(config: IssuerKeysConfig): IssuerKeys;
  /**
   * Closes all keys but these. To be called when the configuration that needed the others has ended.
   *
   * @param inUse as `forIssuer` handed them out
   */
  retain(inUse: readonly IssuerKeys[]): void;
  /** Takes new settings for all issuers; sets that are there stay. */
  configure(settings: RegistrySettings): void;
  /**
   * Begins to fetch, all issuers in parallel; those that come later begin at once.
   *
   * @returns settles when each has succeeded or failed once; waiting is optional
   */
  start(): Promise<void>;
  /**
   * Fetches again, whatever cooldown and back-off say. Old keys stay while that fails; `drop` forgets them at once.
   *
   * @param issuer undefined: all
   * @returns an outcome an issuer; empty where it is not known
   */
  invalidate(issuer?: string, options?: { readonly drop?: boolean }): Promise<readonly InvalidationOutcome[]>;
  /** For status page and metrics. */
  status(): readonly IssuerKeysStatus[];
  /** Issuers that have no keys to decide with; empty: ready. */
  lacking(): readonly string[];
  /** Ends all activity, and waits for snapshots that are being written. */
  close(): Promise<void>;
}

/**
 * Creates the registry.
 *
 * @param deps what it borrows from outside
 */
export function createKeySetRegistry(deps: RegistryDependencies): KeySetRegistry {
  return new Registry(deps);
}

class Registry implements KeySetRegistry {
  readonly #fetched = new Map<string, FetchedIssuerKeys>();
  readonly #static = new Map<string, StaticIssuerKeys>();
  /** The fetched issuers that may hold keys. */
  #loaded: LRUCache<string, FetchedIssuerKeys>;
  #settings: RegistrySettings;
  #generation = 0;
  #started = false;

  constructor(private readonly deps: RegistryDependencies) {
    this.#settings = deps.settings;
    this.#loaded = createLru(deps.settings.maxIssuers);
  }

  forIssuer({ issuer, source }: IssuerKeysConfig): IssuerKeys {
    return isFetchedSource(source) ? this.#fetchedKeys(issuer, source) : this.#staticKeys(issuer, source);
  }

  retain(inUse: readonly IssuerKeys[]): void {
    const kept = new Set(inUse);
    for (const [identity, keys] of this.#fetched) {
      if (kept.has(keys)) continue;
      keys.close();
      this.#fetched.delete(identity);
      this.#loaded.delete(identity);
    }
    for (const [identity, keys] of this.#static) {
      if (!kept.has(keys)) this.#static.delete(identity);
    }
  }

  configure(settings: RegistrySettings): void {
    const resized = settings.maxIssuers !== this.#settings.maxIssuers;
    this.#settings = settings;
    if (resized) this.#resize(settings.maxIssuers);
    for (const keys of this.#fetched.values()) keys.reconfigured();
  }

  async start(): Promise<void> {
    this.#started = true;
    const all = [...this.#fetched.values()];
    const { maxIssuers } = this.#settings;
    for (const keys of all.slice(maxIssuers)) keys.unload();
    await Promise.all(all.slice(0, maxIssuers).map((keys) => keys.start()));
  }

  async invalidate(
    issuer?: string,
    { drop = false }: { readonly drop?: boolean } = {},
  ): Promise<readonly InvalidationOutcome[]> {
    const meant = (keys: IssuerKeys): boolean => issuer === undefined || keys.issuer === issuer;
    const outcomes = [...this.#fetched.values()].filter(meant).map(async (keys) => {
      const ok = await keys.invalidate({ drop });
      const keyCount = keys.latest?.set.keys.length ?? 0;
      return { issuer: keys.issuer, ok, error: ok ? undefined : keys.lastError, keyCount };
    });
    const unchanged = [...this.#static.values()].filter(meant).map(({ issuer: name, set }) => ({
      issuer: name,
      ok: true,
      error: undefined,
      keyCount: set.keys.length,
    }));
    return [...unchanged, ...(await Promise.all(outcomes))];
  }

  status(): readonly IssuerKeysStatus[] {
    const nowMs = this.deps.clock.now();
    return [
      ...[...this.#static.values()].map((keys) => describeStatic(keys)),
      ...[...this.#fetched.values()].map((keys) => describeFetched(keys, nowMs)),
    ];
  }

  lacking(): readonly string[] {
    const lacking = this.status().filter(({ ready }) => !ready);
    return lacking.map(({ issuer }) => issuer);
  }

  async close(): Promise<void> {
    for (const keys of this.#fetched.values()) keys.close();
    await this.deps.snapshots?.flush();
  }

  #fetchedKeys(issuer: string, source: FetchedSource): IssuerKeys {
    const identity = JSON.stringify([issuer, source]);
    const known = this.#fetched.get(identity);
    if (known !== undefined) return known;
    const keys: FetchedIssuerKeys = new FetchedIssuerKeys(issuer, source, {
      ...this.deps,
      settings: () => this.#settings,
      nextGeneration: () => (this.#generation += 1),
      used: () => this.#used(identity, keys),
    });
    this.#fetched.set(identity, keys);
    // Not at once: the settings of the same reload may follow, and the reload may fail.
    if (this.#started) queueMicrotask(() => void keys.start());
    return keys;
  }

  /** Reading static keys is cheap: what stays the same object is what holds the same keys. */
  #staticKeys(issuer: string, source: StaticSource): IssuerKeys {
    const set = parseStaticKeys(source);
    const identity = JSON.stringify([issuer, source.kind, set.fingerprint]);
    const known = this.#static.get(identity);
    if (known !== undefined) return known;
    const keys = new StaticIssuerKeys(issuer, set, (this.#generation += 1));
    this.#static.set(identity, keys);
    return keys;
  }

  #used(identity: string, keys: FetchedIssuerKeys): void {
    if (this.#loaded.get(identity) !== undefined) return;
    // Keys that were closed may still be asked, and must not push out others.
    if (this.#fetched.get(identity) === keys) this.#loaded.set(identity, keys);
  }

  #resize(maxIssuers: number): void {
    const former = this.#loaded;
    this.#loaded = createLru(maxIssuers);
    for (const identity of former.rkeys()) {
      const keys = this.#fetched.get(identity);
      if (keys !== undefined) this.#loaded.set(identity, keys);
    }
  }
}

function createLru(max: number): LRUCache<string, FetchedIssuerKeys> {
  return new LRUCache({
    max,
    dispose: (keys, _identity, reason) => {
      if (reason === 'evict') keys.unload();
    },
  });
}

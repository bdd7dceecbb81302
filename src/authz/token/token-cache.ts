import { LRUCache } from 'lru-cache';
import type { IssuerKeys } from '../../jwks/types.js';
import type { DenialCode } from '../denial.js';
import type { VerifiedToken } from '../types.js';

/** Under what a token was verified. As soon as one of these is another, the outcome is worth nothing. */
export interface VerifiedUnder {
  /** This very key set, not one of the same name that was built anew. */
  readonly keys: IssuerKeys;
  readonly generation: number;
  /** Every rule of the issuer's configuration, as one text. */
  readonly rules: string;
}

/** A token that was verified before. Its times are still to be compared with the clock. */
export interface KnownToken {
  readonly token: VerifiedToken;
  readonly under: VerifiedUnder;
}

/** A token that was refused before, for something that time does not heal. */
export interface RefusedToken {
  readonly code: DenialCode;
  readonly issuer: string;
  readonly under: VerifiedUnder;
}

/** Bounds of the cache. */
export interface TokenCacheOptions {
  readonly maxEntries: number;
  /** By estimate: what a parsed token takes in memory. */
  readonly maxBytes: number;
  /** Refused tokens have a place of their own, so that a flood of them drives no good one out. */
  readonly maxRefused?: number;
  /** How long a refusal is remembered, milliseconds. */
  readonly refusedTtlMs?: number;
}

const DEFAULT_MAX_REFUSED = 10_000;
const DEFAULT_REFUSED_TTL_MS = 10_000;

/**
 * Remembers verified tokens, and refused ones for a short while, by the SHA-256 of their whole text. It holds no
 * token, outlives a reload of the configuration, and believes nothing: whether an entry still counts is for the verifier, which knows
 * the issuers of its configuration.
 */
export class TokenCache {
  readonly #known: LRUCache<string, KnownToken>;
  readonly #refused: LRUCache<string, RefusedToken & { readonly atMs: number }>;
  readonly #refusedTtlMs: number;

  /** @param options bounds from the configuration; `maxEntries` of at least 1 */
  constructor(options: TokenCacheOptions) {
    this.#known = new LRUCache({ max: options.maxEntries, maxSize: Math.max(1, options.maxBytes) });
    this.#refused = new LRUCache({
      max: Math.min(options.maxEntries, options.maxRefused ?? DEFAULT_MAX_REFUSED),
    });
    this.#refusedTtlMs = options.refusedTtlMs ?? DEFAULT_REFUSED_TTL_MS;
  }

  /** How many verified tokens are held. */
  get entries(): number {
    return this.#known.size;
  }

  /** How many bytes they are estimated to take. */
  get bytes(): number {
    return this.#known.calculatedSize;
  }

  /** How many refused tokens are held. */
  get refusedEntries(): number {
    return this.#refused.size;
  }

  /** @param hash from `hashToken` */
  known(hash: string): KnownToken | undefined {
    return this.#known.get(hash);
  }

  /**
   * @param hash from `hashToken`
   * @param nowMs milliseconds since the epoch; a clock that moved back ends the memory too
   */
  refused(hash: string, nowMs: number): RefusedToken | undefined {
    const entry = this.#refused.get(hash);
    if (entry === undefined) return undefined;
    if (nowMs >= entry.atMs && nowMs < entry.atMs + this.#refusedTtlMs) return entry;
    this.#refused.delete(hash);
    return undefined;
  }

  /**
   * @param known its token's `hash` is the key
   * @param payloadChars length of the payload as sent, from which the memory is estimated
   */
  remember(known: KnownToken, payloadChars: number): void {
    this.#known.set(known.token.hash, known, {
      size: estimateBytes(known.token.claims, payloadChars),
    });
  }

  /** @param hash from `hashToken` */
  rememberRefused(hash: string, refused: RefusedToken, nowMs: number): void {
    this.#refused.set(hash, { ...refused, atMs: nowMs });
  }

  /** Forgets one verified token, because it expired or its keys changed. */
  forget(hash: string): void {
    this.#known.delete(hash);
  }

  /** Forgets everything. */
  clear(): void {
    this.#known.clear();
    this.#refused.clear();
  }
}

/** What an entry takes beside its claims: hash, list slots, the records. Measured on Node 20, as the others, and rounded up. */
const ENTRY_BYTES = 300;
const OBJECT_BYTES = 64;
const SLOT_BYTES = 8;
const STRING_BYTES = 32;

/** The text of the payload stays in memory, since its strings point into it; around it come the objects. */
function estimateBytes(claims: unknown, payloadChars: number): number {
  return Math.ceil(ENTRY_BYTES + payloadChars * 0.75 + structureBytes(claims));
}

function structureBytes(value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES;
  if (typeof value !== 'object' || value === null) return 0;
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let bytes = OBJECT_BYTES + SLOT_BYTES * members.length;
  for (const member of members) bytes += structureBytes(member);
  return bytes;
}

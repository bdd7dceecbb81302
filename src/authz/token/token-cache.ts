import { LRUCache } from 'lru-cache';
import type { IssuerKeys } from '../../jwks/types.js';
import type { DenialCode } from '../denial.js';
import type { VerifiedToken } from '../types.js';

/** Under what a token was verified. As soon as one of these is another, the outcome is worth nothing. */
export interface VerifiedUnder {
  readonly issuer: string;
  /** This very key set, not one of the same name that was built anew. */
  readonly keys: IssuerKeys;
  readonly generation: number;
  /** Every rule of the issuer's configuration, as one text. */
  readonly rules: string;
}

/** A token that was verified before. Its times are still to be compared with the clock. */
export interface KnownToken {
  readonly hash: string;
  readonly under: VerifiedUnder;
  /** The payload as JSON text: what the signature has proved, in the form that takes least memory. */
  readonly payload: string;
  /** The same, read; there for the tokens in use. */
  readonly token: VerifiedToken | undefined;
}

/** A token that was refused before, for something that time does not heal. */
export interface RefusedToken {
  readonly code: DenialCode;
  readonly under: VerifiedUnder;
}

/** Bounds of the cache. */
export interface TokenCacheOptions {
  readonly maxEntries: number;
  /** By estimate: what all of it takes in memory. */
  readonly maxBytes: number;
  /** Of the tokens in use, which are kept read. */
  readonly maxRead?: number;
  /** Refused tokens have a place of their own, so that a flood of them drives no good one out. */
  readonly maxRefused?: number;
  /** How long a refusal is remembered, milliseconds. */
  readonly refusedTtlMs?: number;
}

const DEFAULT_MAX_READ = 4096;
/** Of the bytes, this share is for the tokens in use. */
const READ_SHARE = 0.25;
const DEFAULT_MAX_REFUSED = 10_000;
const DEFAULT_REFUSED_TTL_MS = 10_000;

type Entry = { -readonly [K in keyof KnownToken]: KnownToken[K] };

/**
 * Remembers verified tokens, and refused ones for a short while, by the SHA-256 of their whole text. It holds no
 * token, outlives a reload of the configuration, and believes nothing: whether an entry still counts is for the
 * verifier, which knows the issuers of its configuration.
 *
 * Most tokens that come are few, and most that are held come seldom: every one is held as the text of its payload, and
 * those that came again are held read as well, with what was made of them.
 */
export class TokenCache {
  readonly #known: LRUCache<string, Entry>;
  readonly #read: LRUCache<string, Entry>;
  readonly #refused: LRUCache<string, RefusedToken & { readonly atMs: number }>;
  readonly #refusedTtlMs: number;

  /** @param options bounds from the configuration; `maxEntries` of at least 1 */
  constructor({ maxEntries, maxBytes, ...options }: TokenCacheOptions) {
    this.#known = new LRUCache({
      max: maxEntries,
      maxSize: atLeastOne(maxBytes * (1 - READ_SHARE)),
      dispose: ({ hash }) => void this.#read.delete(hash),
    });
    this.#read = new LRUCache({
      max: Math.min(maxEntries, options.maxRead ?? DEFAULT_MAX_READ),
      maxSize: atLeastOne(maxBytes * READ_SHARE),
      dispose: (entry) => void (entry.token = undefined),
    });
    this.#refused = new LRUCache({ max: Math.min(maxEntries, options.maxRefused ?? DEFAULT_MAX_REFUSED) });
    this.#refusedTtlMs = options.refusedTtlMs ?? DEFAULT_REFUSED_TTL_MS;
  }

  /** How many verified tokens are held. */
  get entries(): number {
    return this.#known.size;
  }

  /** How many bytes they are estimated to take. */
  get bytes(): number {
    return this.#known.calculatedSize + this.#read.calculatedSize;
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
   * @param hash from `hashToken`
   * @param payload JSON text of a verified token
   */
  remember(hash: string, payload: string, under: VerifiedUnder): void {
    const entry: Entry = { hash, under, payload, token: undefined };
    this.#known.set(hash, entry, { size: ENTRY_BYTES + payload.length * bytesPerCharacter(payload) });
  }

  /** Keeps a known token read, since it came again. The payload is read once more for each that found no place. */
  keepRead(known: KnownToken, token: VerifiedToken): void {
    const entry = this.#known.peek(known.hash);
    if (entry !== known) return;
    entry.token = token;
    this.#read.set(known.hash, entry, { size: READ_BYTES + structureBytes(token.claims) });
    if (!this.#read.has(known.hash)) entry.token = undefined;
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

function atLeastOne(bytes: number): number {
  return Math.max(1, Math.floor(bytes));
}

// Measured on Node 20 and rounded up, as are all of these.

/** What an entry takes beside its payload: hash, list slots, the record. */
const ENTRY_BYTES = 300;
/** What a token that is read takes beside its claims: scopes, headers, metadata and the bytes of its last answer. */
const READ_BYTES = 2500;
const OBJECT_BYTES = 64;
const SLOT_BYTES = 8;
const STRING_BYTES = 48;

/** The engine takes two for all of a text as soon as one character is beyond Latin-1. */
function bytesPerCharacter(text: string): number {
  // eslint-disable-next-line no-control-regex -- the whole of Latin-1 is meant
  return /[^\x00-\xff]/.test(text) ? 2 : 1;
}

function structureBytes(value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return 0;
  const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let bytes = OBJECT_BYTES + SLOT_BYTES * members.length;
  for (const member of members) bytes += structureBytes(member);
  return bytes;
}

import { LRUCache } from 'lru-cache';
import type { DenialCode } from '../denial.js';
import type { VerifiedToken } from '../types.js';
import type { TokenEpoch } from './kind.js';

/** A token that was verified before. Its times are still to be compared with the clock. */
export interface KnownToken {
  readonly key: string;
  /** Under what it was verified; whether that still counts is for its kind to say. */
  readonly epoch: TokenEpoch;
  /** Not used from then on, milliseconds since the epoch. */
  readonly keepUntilMs: number;
  /** The claims as JSON text: what was proved, in the form that takes least memory. */
  readonly text: string;
  /** The same, read; there for the tokens in use. */
  readonly token: VerifiedToken | undefined;
}

/** A token that was refused before, for something that time does not heal. */
export interface RefusedToken {
  readonly code: DenialCode;
  readonly epoch: TokenEpoch;
  /** Not remembered from then on, milliseconds since the epoch; undefined: as the options say. */
  readonly keepUntilMs?: number | undefined;
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
 * token's kind, which knows the issuers of its configuration.
 *
 * A few tokens make up most traffic, and most that are held come seldom: every one is held as the text of its claims,
 * and those that came again are held read as well, with what was made of them.
 */
export class TokenCache {
  readonly #known: LRUCache<string, Entry>;
  readonly #read: LRUCache<string, Entry>;
  readonly #refused: LRUCache<string, RefusedToken & { readonly atMs: number; readonly untilMs: number }>;
  readonly #refusedTtlMs: number;

  /** @param options bounds from the configuration; `maxEntries` of at least 1 */
  constructor({ maxEntries, maxBytes, ...options }: TokenCacheOptions) {
    this.#known = new LRUCache({
      max: maxEntries,
      maxSize: atLeastOne(maxBytes * (1 - READ_SHARE)),
      dispose: ({ key }) => void this.#read.delete(key),
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

  /** @param key the hash of the token, with whatever else tells one answer from another */
  known(key: string): KnownToken | undefined {
    return this.#known.get(key);
  }

  /**
   * @param key as of `known`
   * @param nowMs milliseconds since the epoch; a clock that moved back ends the memory too
   */
  refused(key: string, nowMs: number): RefusedToken | undefined {
    const entry = this.#refused.get(key);
    if (entry === undefined) return undefined;
    if (nowMs >= entry.atMs && nowMs < entry.untilMs) return entry;
    this.#refused.delete(key);
    return undefined;
  }

  /**
   * @param key as of `known`
   * @param text claims of a verified token, as JSON
   */
  remember(
    key: string,
    text: string,
    { epoch, keepUntilMs }: { readonly epoch: TokenEpoch; readonly keepUntilMs: number },
  ): void {
    const entry: Entry = { key, epoch, keepUntilMs, text, token: undefined };
    this.#known.set(key, entry, { size: ENTRY_BYTES + text.length * bytesPerCharacter(text) });
  }

  /** Keeps a known token read, since it came again. The payload is read once more for each that found no place. */
  keepRead(known: KnownToken, token: VerifiedToken): void {
    const entry = this.#known.peek(known.key);
    if (entry !== known) return;
    entry.token = token;
    this.#read.set(known.key, entry, { size: READ_BYTES + structureBytes(token.claims) });
    if (!this.#read.has(known.key)) entry.token = undefined;
  }

  /** @param key as of `known` */
  rememberRefused(key: string, refused: RefusedToken, nowMs: number): void {
    const untilMs = refused.keepUntilMs ?? nowMs + this.#refusedTtlMs;
    if (nowMs < untilMs) this.#refused.set(key, { ...refused, atMs: nowMs, untilMs });
  }

  /** Forgets one verified token, because it expired or its keys changed. */
  forget(key: string): void {
    this.#known.delete(key);
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

import { LRUCache } from 'lru-cache';
import { decodeText, readJson, splitCompactJws, type JwsSegments } from '../../jws/compact.js';
import { readJoseHeader, type JoseHeader } from '../../jws/header.js';
import { JwsRejection, type JwsRejectionCode } from '../../jws/jws-rejection.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import { verifySignature } from '../../jws/verify.js';
import type { SignatureAlgorithm, VerificationKey } from '../../jwk/types.js';
import { KeysUnavailableError } from '../../jwks/types.js';
import type { Clock, JsonObject } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';
import type { GateMetrics, VerifiedToken } from '../types.js';
import { assertTimes, isExpired, readClaims } from './claims.js';
import { assertTokenHeader } from './header-rules.js';
import { markKept } from './kept.js';
import type { KnownToken, TokenCache, VerifiedUnder } from './token-cache.js';
import type { TokenIssuer, TokenRules, TokenVerifier } from './types.js';

/** What a verifier is made of; all of it of one configuration, but the cache, which outlives it. */
export interface TokenVerifierOptions {
  /** By issuer identifier, compared byte for byte with `iss`. */
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  /** undefined: every token is verified every time. */
  readonly cache: TokenCache | undefined;
  readonly metrics: Pick<GateMetrics, 'tokenCache'>;
  /** Read again where keys had to be waited for. */
  readonly clock: Clock;
  /** Of the whole token. */
  readonly maxTokenBytes: number;
}

/** Duplicate kids are tried in turn, and not without end. */
const MAX_CANDIDATES = 4;

/** Refusals that stay the same as long as keys and rules do, and for which cryptography was paid. */
const LASTING: ReadonlySet<DenialCode> = new Set<DenialCode>([
  'invalid_signature',
  'invalid_claims',
  'invalid_audience',
  'invalid_token_type',
  'unsupported_confirmation',
]);

/** Header faults have denials of their own; everything else is a text that is no JWS. */
const HEADER_DENIALS: Readonly<Partial<Record<JwsRejectionCode, DenialCode>>> = {
  too_large: 'token_too_large',
  bad_algorithm: 'unsupported_algorithm',
  bad_kid: 'invalid_token_header',
  bad_type: 'invalid_token_header',
  critical_header: 'invalid_token_header',
  unsupported_header: 'invalid_token_header',
};

/** Header texts that are remembered: an issuer writes the same one until it changes its key. */
const MAX_HEADERS = 1000;
const MAX_HEADER_CHARS = 1024;

/** A header that was read. Its rules are applied on each use. */
interface TokenHeader {
  readonly raw: JsonObject;
  readonly header: JoseHeader;
}

/** An issuer, and what its tokens of today are verified under. */
interface BoundIssuer {
  readonly issuer: TokenIssuer;
  under: VerifiedUnder;
}

/** A token that was read, and whose issuer is known. Not verified. */
interface Candidate {
  readonly jws: JwsSegments;
  readonly header: TokenHeader;
  readonly payloadText: string;
  readonly payload: JsonObject;
  readonly alg: SignatureAlgorithm;
  readonly issuer: TokenIssuer;
  readonly hash: string;
  readonly under: VerifiedUnder;
}

/**
 * Makes a verifier of one configuration's issuers.
 *
 * @see RFC 9068 section 4, RFC 8725 section 3
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  return new CachingTokenVerifier(options);
}

class CachingTokenVerifier implements TokenVerifier {
  readonly #issuers = new Map<string, BoundIssuer>();
  readonly #inFlight = new Map<string, Promise<VerifiedToken>>();
  /** By their text, and only those that a good signature covered: nobody's garbage drives out headers in use. */
  readonly #headers = new LRUCache<string, TokenHeader>({ max: MAX_HEADERS });

  constructor(private readonly options: TokenVerifierOptions) {
    for (const [iss, issuer] of options.issuers) this.#issuers.set(iss, bind(iss, issuer));
  }

  verify(token: string, hash: string, nowMs: number): VerifiedToken | Promise<VerifiedToken> {
    const known = this.#recall(hash, nowMs) ?? this.#inFlight.get(hash);
    if (known !== undefined) return known;
    const verified = this.#verifyAfresh(token, hash, nowMs);
    if (!(verified instanceof Promise)) return verified;
    const flight = verified.finally(() => this.#inFlight.delete(hash));
    this.#inFlight.set(hash, flight);
    return flight;
  }

  /** What the cache knows of a token that still counts under today's keys, rules and clock. */
  #recall(hash: string, nowMs: number): VerifiedToken | undefined {
    const { cache, metrics } = this.options;
    if (cache === undefined) return undefined;
    const known = cache.known(hash);
    if (known !== undefined) return this.#judgeKnown(known, cache, nowMs);
    const refused = cache.refused(hash, nowMs);
    if (refused !== undefined && this.#counts(refused.under, nowMs)) {
      metrics.tokenCache('negative_hit');
      throw new Denial(refused.code);
    }
    metrics.tokenCache('miss');
    return undefined;
  }

  #judgeKnown(known: KnownToken, cache: TokenCache, nowMs: number): VerifiedToken | undefined {
    const { metrics } = this.options;
    const bound = this.#issuers.get(known.under.issuer);
    if (bound === undefined || !isCurrent(known.under, bound)) {
      cache.forget(known.hash);
      metrics.tokenCache('stale');
      return undefined;
    }
    if (!bound.issuer.keys.isUsable(nowMs)) {
      metrics.tokenCache('stale');
      return undefined;
    }
    const token = known.token ?? readAgain(known, bound.issuer, cache);
    if (isExpired(token.expiresAtS, nowMs, bound.issuer.clockToleranceMs)) cache.forget(token.hash);
    metrics.tokenCache('hit');
    assertTimes(token, nowMs, bound.issuer);
    return token;
  }

  #counts(under: VerifiedUnder, nowMs: number): boolean {
    const bound = this.#issuers.get(under.issuer);
    return bound !== undefined && isCurrent(under, bound) && bound.issuer.keys.isUsable(nowMs);
  }

  #verifyAfresh(token: string, hash: string, nowMs: number): VerifiedToken | Promise<VerifiedToken> {
    const candidate = this.#read(token, hash, nowMs);
    const keys = findKeys(candidate);
    if (!(keys instanceof Promise)) return this.#conclude(candidate, keys, nowMs);
    return keys.then(
      (found) => this.#conclude(candidate, found, this.options.clock.now()),
      (error: unknown) => {
        throw asDenial(error);
      },
    );
  }

  /** Everything that costs no cryptography and no question to the issuer. */
  #read(token: string, hash: string, nowMs: number): Candidate {
    const { jws, header, payloadText, payload } = this.#parse(token);
    const { iss, exp } = payload;
    if (typeof iss !== 'string') throw new Denial('invalid_claims');
    const bound = this.#issuers.get(iss);
    if (bound === undefined) throw new Denial('untrusted_issuer');
    const { issuer } = bound;
    const alg = assertTokenHeader(header.header, { raw: header.raw, rules: issuer });
    // Whoever signed it, an expired token is refused: a client that keeps sending one costs no signature and no fetch.
    if (typeof exp === 'number' && isExpired(exp, nowMs, issuer.clockToleranceMs)) {
      throw new Denial('expired_token');
    }
    // The generation before the keys are asked for: should they change while we wait, the entry is stale, never false.
    return { jws, header, payloadText, payload, alg, issuer, hash, under: underOf(bound) };
  }

  #parse(token: string): Pick<Candidate, 'jws' | 'header' | 'payloadText' | 'payload'> {
    try {
      const jws = splitCompactJws(token, this.options.maxTokenBytes);
      const header = this.#headers.get(jws.header) ?? readTokenHeader(jws.header);
      const payloadText = decodeText(jws.payload);
      return { jws, header, payloadText, payload: parseStrictJsonText(payloadText) };
    } catch (error) {
      if (error instanceof JwsRejection) throw new Denial(HEADER_DENIALS[error.code] ?? 'malformed_token');
      throw error;
    }
  }

  #conclude(candidate: Candidate, keys: readonly VerificationKey[], nowMs: number): VerifiedToken {
    const { payload, payloadText, issuer, hash, under } = candidate;
    if (keys.length === 0) throw new Denial('unknown_key');
    try {
      assertSignature(candidate, keys);
      this.#keepHeader(candidate);
      const token = createToken(payload, { hash, under, rules: issuer });
      assertTimes(token, nowMs, issuer);
      this.options.cache?.remember(hash, payloadText, under);
      return token;
    } catch (error) {
      if (error instanceof Denial && LASTING.has(error.code)) {
        this.options.cache?.rememberRefused(hash, { code: error.code, under }, nowMs);
      }
      throw error;
    }
  }

  #keepHeader({ jws, header }: Candidate): void {
    if (jws.header.length > MAX_HEADER_CHARS || this.#headers.has(jws.header)) return;
    // A slice would keep the whole request alive.
    this.#headers.set(Buffer.from(jws.header, 'latin1').toString('latin1'), header);
  }
}

function readTokenHeader(segment: string): TokenHeader {
  const raw = readJson(segment);
  return { raw, header: readJoseHeader(raw) };
}

/** A token that came again, made anew of what its signature has proved, under the same rules. */
function readAgain(known: KnownToken, rules: TokenRules, cache: TokenCache): VerifiedToken {
  const { hash, under } = known;
  const token = createToken(parseStrictJsonText(known.payload), { hash, under, rules });
  markKept(token);
  cache.keepRead(known, token);
  return token;
}

function createToken(
  claims: JsonObject,
  from: { hash: string; under: VerifiedUnder; rules: TokenRules },
): VerifiedToken {
  const { hash, under, rules } = from;
  return { issuer: under.issuer, hash, claims, ...readClaims(claims, rules) };
}

function bind(iss: string, issuer: TokenIssuer): BoundIssuer {
  const { keys } = issuer;
  return { issuer, under: { issuer: iss, keys, generation: keys.generation, rules: describeRules(issuer) } };
}

/** One object for all tokens of a generation. */
function underOf(bound: BoundIssuer): VerifiedUnder {
  const { generation } = bound.issuer.keys;
  if (bound.under.generation !== generation) bound.under = { ...bound.under, generation };
  return bound.under;
}

/** Every rule that a cached outcome rests on. The keys are compared as the object they are. */
function describeRules(rules: TokenRules): string {
  const { audiences, algorithms, profile, clockToleranceMs, maxLifetimeMs } = rules;
  return JSON.stringify([
    [...audiences].sort(),
    [...algorithms].sort(),
    profile,
    clockToleranceMs,
    maxLifetimeMs,
  ]);
}

function isCurrent(under: VerifiedUnder, bound: BoundIssuer): boolean {
  const today = underOf(bound);
  return (
    under === today ||
    (under.keys === today.keys && under.generation === today.generation && under.rules === today.rules)
  );
}

function findKeys({ issuer, header, alg }: Candidate): ReturnType<TokenIssuer['keys']['find']> {
  try {
    return issuer.keys.find(header.header.kid, alg);
  } catch (error) {
    throw asDenial(error);
  }
}

function asDenial(error: unknown): unknown {
  if (!(error instanceof KeysUnavailableError)) return error;
  return new Denial('keys_unavailable', { retryAfterS: error.retryAfterS, cause: error });
}

function assertSignature({ jws, alg }: Candidate, keys: readonly VerificationKey[]): void {
  for (const key of keys.slice(0, MAX_CANDIDATES)) {
    if (verifySignature(jws, key, alg)) return;
  }
  throw new Denial('invalid_signature');
}

import { parseCompactJws, type CompactJws } from '../../jws/compact.js';
import { readJoseHeader, type JoseHeader } from '../../jws/header.js';
import { JwsRejection, type JwsRejectionCode } from '../../jws/jws-rejection.js';
import { verifySignature } from '../../jws/verify.js';
import type { SignatureAlgorithm, VerificationKey } from '../../jwk/types.js';
import { KeysUnavailableError } from '../../jwks/types.js';
import type { Clock } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';
import type { GateMetrics, VerifiedToken } from '../types.js';
import { assertTimes, isExpired, readClaims } from './claims.js';
import { assertTokenHeader } from './header-rules.js';
import type { TokenCache, VerifiedUnder } from './token-cache.js';
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

/** An issuer with its rules as one text, made once a configuration. */
interface BoundIssuer {
  readonly issuer: TokenIssuer;
  readonly rules: string;
}

/** A token that was read, and whose issuer is known. Not verified. */
interface Candidate {
  readonly jws: CompactJws;
  readonly header: JoseHeader;
  readonly alg: SignatureAlgorithm;
  readonly iss: string;
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

  constructor(private readonly options: TokenVerifierOptions) {
    for (const [iss, issuer] of options.issuers) {
      this.#issuers.set(iss, { issuer, rules: describeRules(issuer) });
    }
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
    if (known !== undefined) return this.#judgeKnown(known.token, known.under, nowMs);
    const refused = cache.refused(hash, nowMs);
    if (refused !== undefined && this.#counts(refused.issuer, refused.under, nowMs)) {
      metrics.tokenCache('negative_hit');
      throw new Denial(refused.code);
    }
    metrics.tokenCache('miss');
    return undefined;
  }

  #judgeKnown(token: VerifiedToken, under: VerifiedUnder, nowMs: number): VerifiedToken | undefined {
    const { cache, metrics } = this.options;
    const bound = this.#issuers.get(token.issuer);
    if (bound === undefined || !isCurrent(under, bound)) {
      cache?.forget(token.hash);
      metrics.tokenCache('stale');
      return undefined;
    }
    if (!bound.issuer.keys.isUsable(nowMs)) {
      metrics.tokenCache('stale');
      return undefined;
    }
    if (isExpired(token.expiresAtS, nowMs, bound.issuer.clockToleranceMs)) cache?.forget(token.hash);
    metrics.tokenCache('hit');
    assertTimes(token, nowMs, bound.issuer);
    return token;
  }

  #counts(iss: string, under: VerifiedUnder, nowMs: number): boolean {
    const bound = this.#issuers.get(iss);
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
    const { jws, header } = parseToken(token, this.options.maxTokenBytes);
    const { iss, exp } = jws.payload;
    if (typeof iss !== 'string') throw new Denial('invalid_claims');
    const bound = this.#issuers.get(iss);
    if (bound === undefined) throw new Denial('untrusted_issuer');
    const { issuer, rules } = bound;
    const alg = assertTokenHeader(header, { raw: jws.header, rules: issuer });
    // Whoever signed it, an expired token is refused: a client that keeps sending one costs no signature and no fetch.
    if (typeof exp === 'number' && isExpired(exp, nowMs, issuer.clockToleranceMs)) {
      throw new Denial('expired_token');
    }
    // The generation before the keys are asked for: should they change while we wait, the entry is stale, never false.
    const under = { keys: issuer.keys, generation: issuer.keys.generation, rules };
    return { jws, header, alg, iss, issuer, hash, under };
  }

  #conclude(candidate: Candidate, keys: readonly VerificationKey[], nowMs: number): VerifiedToken {
    const { jws, iss, issuer, hash, under } = candidate;
    if (keys.length === 0) throw new Denial('unknown_key');
    try {
      assertSignature(candidate, keys);
      const token = { issuer: iss, hash, claims: jws.payload, ...readClaims(jws.payload, issuer) };
      assertTimes(token, nowMs, issuer);
      this.options.cache?.remember({ token, under }, jws.signingInput.length);
      return token;
    } catch (error) {
      if (error instanceof Denial && LASTING.has(error.code)) {
        this.options.cache?.rememberRefused(hash, { code: error.code, issuer: iss, under }, nowMs);
      }
      throw error;
    }
  }
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

function isCurrent(under: VerifiedUnder, { issuer, rules }: BoundIssuer): boolean {
  return under.keys === issuer.keys && under.generation === issuer.keys.generation && under.rules === rules;
}

function parseToken(token: string, maxBytes: number): { jws: CompactJws; header: JoseHeader } {
  try {
    const jws = parseCompactJws(token, { maxBytes });
    return { jws, header: readJoseHeader(jws.header) };
  } catch (error) {
    if (error instanceof JwsRejection) throw new Denial(HEADER_DENIALS[error.code] ?? 'malformed_token');
    throw error;
  }
}

function findKeys({ issuer, header, alg }: Candidate): ReturnType<TokenIssuer['keys']['find']> {
  try {
    return issuer.keys.find(header.kid, alg);
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

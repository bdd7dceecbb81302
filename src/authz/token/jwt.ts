import { LRUCache } from 'lru-cache';
import { decodeText, hasJwsOutline, readJson, splitCompactJws, type JwsSegments } from '../../jws/compact.js';
import { readJoseHeader, type JoseHeader } from '../../jws/header.js';
import { JwsRejection, type JwsRejectionCode } from '../../jws/jws-rejection.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import { verifySignature } from '../../jws/verify.js';
import type { SignatureAlgorithm, VerificationKey } from '../../jwk/types.js';
import { KeysUnavailableError, type IssuerKeys } from '../../jwks/types.js';
import type { JsonObject } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';
import { isExpired } from './claims.js';
import { assertTokenHeader } from './jwt-header.js';
import type { Freshness, PresentedToken, Proved, Refused, TokenEpoch, TokenKind } from './kind.js';
import type { TokenIssuer, TokenRules } from './types.js';

/** What the kind is made of; all of it of one configuration. */
export interface JwtKindOptions {
  /** By issuer identifier, compared byte for byte with `iss`. */
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  /** Of the whole token. */
  readonly maxTokenBytes: number;
}

/** Duplicate kids are tried in turn, up to this many. */
const MAX_CANDIDATES = 4;

/** Header faults have denials of their own; everything else is a text that is not a JWS. */
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

/** What a JWT was verified under. */
interface JwtEpoch extends TokenEpoch {
  /** This very key set, not one of the same name that was built again. */
  readonly keys: IssuerKeys;
  readonly generation: number;
  /** Every rule of the issuer's configuration, as one text. */
  readonly rules: string;
}

/** An issuer, and what its tokens of today are verified under. */
interface BoundIssuer {
  readonly issuer: TokenIssuer;
  epoch: JwtEpoch;
}

/** A token that was read, and whose issuer is known. Not verified. */
interface Candidate {
  readonly jws: JwsSegments;
  readonly header: TokenHeader;
  readonly text: string;
  readonly claims: JsonObject;
  readonly alg: SignatureAlgorithm;
  readonly issuer: TokenIssuer;
  readonly epoch: JwtEpoch;
}

const NAME = 'jwt';

/**
 * JWTs that are signed by a configured issuer: form, header, issuer, key and signature, in this order.
 *
 * @see RFC 9068 section 4, RFC 8725 section 3
 */
export function createJwtKind(options: JwtKindOptions): TokenKind {
  return new JwtKind(options);
}

class JwtKind implements TokenKind {
  readonly name = NAME;
  readonly #issuers = new Map<string, BoundIssuer>();
  /** By their text, and only those that a good signature covered: nobody's garbage drives out headers in use. */
  readonly #headers = new LRUCache<string, TokenHeader>({ max: MAX_HEADERS });

  constructor(private readonly options: JwtKindOptions) {
    for (const [iss, issuer] of options.issuers) this.#issuers.set(iss, bind(iss, issuer));
  }

  accepts(token: string): string | undefined {
    return hasJwsOutline(token) ? '' : undefined;
  }

  verify({ token }: PresentedToken, nowMs: number): Proved | Refused | Promise<Proved | Refused> {
    const candidate = this.#read(token, nowMs);
    const keys = findKeys(candidate);
    if (!(keys instanceof Promise)) return this.#conclude(candidate, keys);
    return keys.then(
      (found) => this.#conclude(candidate, found),
      (error: unknown) => {
        throw asDenial(error);
      },
    );
  }

  freshness(epoch: TokenEpoch, nowMs: number): Freshness {
    const bound = this.#issuers.get(epoch.issuer);
    if (bound === undefined || !isCurrent(epoch as JwtEpoch, bound)) return 'stale';
    return bound.issuer.keys.isUsable(nowMs) ? 'current' : 'unsure';
  }

  rulesOf({ issuer }: TokenEpoch): TokenRules {
    const bound = this.#issuers.get(issuer);
    if (bound === undefined) throw new Denial('untrusted_issuer');
    return bound.issuer;
  }

  /** Everything that costs no cryptography and no question to the issuer. */
  #read(token: string, nowMs: number): Candidate {
    const { jws, header, text, claims } = this.#parse(token);
    const { iss, exp } = claims;
    if (typeof iss !== 'string') throw new Denial('invalid_claims');
    const bound = this.#issuers.get(iss);
    if (bound === undefined) {
      const mismatch = { requirement: 'issuers', expected: [...this.#issuers.keys()], found: iss };
      throw new Denial('untrusted_issuer', { mismatch });
    }
    const { issuer } = bound;
    const alg = assertTokenHeader(header.header, { raw: header.raw, rules: issuer });
    // Whoever signed it, an expired token is refused: a client that keeps sending one costs no signature and no fetch.
    if (typeof exp === 'number' && isExpired(exp, nowMs, issuer.clockToleranceMs)) {
      throw new Denial('expired_token');
    }
    // The generation before the keys are asked for: should they change while we wait, the entry is stale, never false.
    return { jws, header, text, claims, alg, issuer, epoch: epochOf(bound) };
  }

  #parse(token: string): Pick<Candidate, 'jws' | 'header' | 'text' | 'claims'> {
    try {
      const jws = splitCompactJws(token, this.options.maxTokenBytes);
      const header = this.#headers.get(jws.header) ?? readTokenHeader(jws.header);
      const text = decodeText(jws.payload);
      return { jws, header, text, claims: parseStrictJsonText(text) };
    } catch (error) {
      if (error instanceof JwsRejection) throw new Denial(HEADER_DENIALS[error.code] ?? 'malformed_token');
      throw error;
    }
  }

  #conclude(candidate: Candidate, keys: readonly VerificationKey[]): Proved | Refused {
    const { text, claims, epoch } = candidate;
    if (keys.length === 0) throw new Denial('unknown_key');
    if (!isSigned(candidate, keys)) return { refused: 'invalid_signature', epoch };
    this.#keepHeader(candidate);
    return { text, claims, epoch };
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

function bind(iss: string, issuer: TokenIssuer): BoundIssuer {
  const { keys } = issuer;
  const { generation } = keys;
  return { issuer, epoch: { kind: NAME, issuer: iss, keys, generation, rules: describeRules(issuer) } };
}

/** One object for all tokens of a generation. */
function epochOf(bound: BoundIssuer): JwtEpoch {
  const { generation } = bound.issuer.keys;
  if (bound.epoch.generation !== generation) bound.epoch = { ...bound.epoch, generation };
  return bound.epoch;
}

/** Every rule that a remembered outcome rests on. The keys are compared as the object they are. */
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

function isCurrent(epoch: JwtEpoch, bound: BoundIssuer): boolean {
  const today = epochOf(bound);
  return (
    epoch === today ||
    (epoch.keys === today.keys && epoch.generation === today.generation && epoch.rules === today.rules)
  );
}

function findKeys({ issuer, header, alg, claims }: Candidate): ReturnType<IssuerKeys['find']> {
  try {
    return issuer.keys.find(header.header.kid, alg, claims);
  } catch (error) {
    throw asDenial(error);
  }
}

function asDenial(error: unknown): unknown {
  if (!(error instanceof KeysUnavailableError)) return error;
  return new Denial('keys_unavailable', { retryAfterS: error.retryAfterS, cause: error });
}

function isSigned({ jws, alg }: Candidate, keys: readonly VerificationKey[]): boolean {
  return keys.slice(0, MAX_CANDIDATES).some((key) => verifySignature(jws, key, alg));
}

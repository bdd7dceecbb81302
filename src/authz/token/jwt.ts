import { hasJwsOutline } from '../../jws/compact.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import { verifySignature } from '../../jws/verify.js';
import type { SignatureAlgorithm, VerificationKey } from '../../jwk/types.js';
import { KeysUnavailableError, type IssuerKeys } from '../../jwks/types.js';
import type { JsonObject } from '../../ports.js';
import { Denial } from '../denial.js';
import { isExpired } from './claims.js';
import { assertTokenHeader } from './jwt-header.js';
import { JwtReader, type ReadJwt } from './jwt-reader.js';
import type { Freshness, PresentedToken, Proved, Refused, TokenEpoch, TokenKind } from './kind.js';
import type { TokenIssuer } from './jwt-issuer.js';
import type { TokenRules } from './types.js';

/** What the kind is made of; all of it of one configuration. */
export interface JwtKindOptions {
  /** By issuer identifier, compared byte for byte with `iss`. */
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  /** Of the whole token. */
  readonly maxTokenBytes: number;
  /** true: there are kinds of opaque tokens, so what only looks like a JWT is left to them. */
  readonly isExact?: boolean;
}

/** Duplicate kids are tried in turn, up to this many. */
const MAX_CANDIDATES = 4;

/** What a JWT was verified under. */
interface JwtEpoch extends TokenEpoch {
  /** Of the issuer: this very object, not one of the same name that was built again. */
  readonly issuerKeys: IssuerKeys;
  /** The same, or those of the one who signed. */
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
interface Candidate extends ReadJwt {
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
  readonly #reader: JwtReader;

  constructor(private readonly options: JwtKindOptions) {
    this.#reader = new JwtReader(options.maxTokenBytes);
    for (const [iss, issuer] of options.issuers) this.#issuers.set(iss, bind(iss, issuer));
  }

  accepts(token: string): string | undefined {
    if (!hasJwsOutline(token)) return undefined;
    return this.options.isExact !== true || this.#reader.hasJsonHeader(token) ? '' : undefined;
  }

  verify(presented: PresentedToken, nowMs: number): Proved | Refused | Promise<Proved | Refused> {
    const candidate = this.#read(presented.token, nowMs);
    const keys = findKeys(candidate);
    if (!(keys instanceof Promise)) return this.#conclude(candidate, keys, presented);
    return keys.then(
      (found) => this.#conclude(candidate, found, presented),
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
    const jwt = this.#reader.read(token);
    const { header } = jwt;
    const { iss, exp } = jwt.claims;
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
    return { ...jwt, alg, issuer, epoch: epochOf(bound, jwt.claims) };
  }

  #conclude(
    candidate: Candidate,
    keys: readonly VerificationKey[],
    presented: PresentedToken,
  ): Proved | Refused {
    const { epoch } = candidate;
    const { confirmation } = candidate.issuer;
    if (keys.length === 0) throw new Denial('unknown_key');
    if (!isSigned(candidate, keys)) return { refused: 'invalid_signature', epoch };
    this.#reader.keepHeader(candidate);
    const { session } = epoch.keys;
    const { text, claims } = session === undefined ? candidate : withSession(candidate, session);
    if (confirmation === undefined) return { text, claims, epoch };
    return { text, claims, epoch, confirm: () => confirmation.confirm(presented, { claims, epoch }) };
  }
}

function bind(iss: string, issuer: TokenIssuer): BoundIssuer {
  const { keys } = issuer;
  const { generation } = keys;
  const rules = describeRules(issuer);
  return { issuer, epoch: { kind: NAME, issuer: iss, issuerKeys: keys, keys, generation, rules } };
}

/**
 * The epoch of a token that is verified now.
 *
 * @throws Denial unknown_key where nobody signs for the issuer under these claims
 */
function epochOf(bound: BoundIssuer, claims: JsonObject): JwtEpoch {
  const issuerKeys = bound.issuer.keys;
  if (issuerKeys.forClaims === undefined) return commonEpochOf(bound);
  const keys = issuerKeys.forClaims(claims);
  if (keys === undefined) throw new Denial('unknown_key');
  return { ...bound.epoch, keys, generation: keys.generation };
}

/** One object for all tokens of a generation. */
function commonEpochOf(bound: BoundIssuer): JwtEpoch {
  const { generation } = bound.issuer.keys;
  if (bound.epoch.generation !== generation) bound.epoch = { ...bound.epoch, generation };
  return bound.epoch;
}

/** Every rule that a remembered outcome rests on. The keys are compared as the object they are. */
function describeRules(issuer: TokenIssuer): string {
  const { audiences, algorithms, profile, clockToleranceMs, maxLifetimeMs, confirmation } = issuer;
  return JSON.stringify([
    [...audiences].sort(),
    [...algorithms].sort(),
    profile,
    clockToleranceMs,
    maxLifetimeMs,
    confirmation?.section,
  ]);
}

function isCurrent(epoch: JwtEpoch, bound: BoundIssuer): boolean {
  const today = commonEpochOf(bound);
  if (epoch === today) return true;
  if (epoch.issuerKeys !== today.issuerKeys || epoch.rules !== today.rules) return false;
  return epoch.generation === epoch.keys.generation;
}

function findKeys({ epoch, header, alg, claims }: Candidate): ReturnType<IssuerKeys['find']> {
  try {
    return epoch.keys.find(header.header.kid, alg, claims);
  } catch (error) {
    throw asDenial(error);
  }
}

/**
 * Makes session parameters the claim `session`. Whatever the token says under that name is left out: the client signs
 * it, and what the operator says of a client is not for the client to say.
 */
function withSession({ claims }: ReadJwt, session: JsonObject): Pick<ReadJwt, 'claims' | 'text'> {
  const own = Object.entries(claims).filter(([name]) => name !== 'session' && !name.startsWith('session.'));
  const said = Object.keys(session).length === 0 ? own : [...own, ['session', session] as const];
  const text = JSON.stringify(Object.fromEntries(said));
  return { claims: parseStrictJsonText(text), text };
}

function asDenial(error: unknown): unknown {
  if (!(error instanceof KeysUnavailableError)) return error;
  return new Denial('keys_unavailable', { retryAfterS: error.retryAfterS, cause: error });
}

function isSigned({ jws, alg }: Candidate, keys: readonly VerificationKey[]): boolean {
  return keys.slice(0, MAX_CANDIDATES).some((key) => verifySignature(jws, key, alg));
}

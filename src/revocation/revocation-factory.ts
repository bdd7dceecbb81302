import { readJson, splitCompactJws } from '../jws/compact.js';
import { JwsRejection } from '../jws/jws-rejection.js';
import type { Clock, JsonObject } from '../ports.js';
import {
  createRevocationId,
  type Revocation,
  type RevocationSource,
  type RevocationTarget,
} from './revocation.js';
import { hashForRevocation } from './token-hash.js';

/** How long tokens of an issuer can be accepted at most. */
export interface IssuerTerms {
  readonly maxLifetimeMs: number;
  readonly clockToleranceMs: number;
}

/** What a factory is made of. */
export interface RevocationFactoryOptions {
  /** By issuer identifier, of the configuration in force. */
  readonly issuers: () => ReadonlyMap<string, IssuerTerms>;
  readonly clock: Clock;
  /** Text that is unique, from a cryptographic source. */
  readonly random: () => string;
}

/** What a revocation says beside its target. */
export interface RevocationDetails {
  readonly source: RevocationSource;
  /** Seconds from now; undefined, or longer than a token can live: as long as a token can live. */
  readonly expiresInS?: number | undefined;
  /** `sub` and `client`: tokens with an `iat` up to this one, seconds since the epoch; undefined: up to now. */
  readonly beforeS?: number | undefined;
  readonly reason?: string | undefined;
}

/** Makes revocations. */
export interface RevocationFactory {
  /** @returns undefined where the issuer is not configured */
  ofClaim(
    target: RevocationTarget & { readonly kind: 'jti' | 'sid' | 'sub' | 'client' },
    details: RevocationDetails,
  ): Revocation | undefined;
  /**
   * Revokes one token by its text, whoever issued it and whether it is good or not. Its signature is not verified, so a
   * `jti` counts only together with a configured issuer.
   *
   * @param token secret; nothing of it is kept but a hash and its `jti`
   */
  ofToken(token: string, details: RevocationDetails): Revocation;
}

/** No entry outlives this, whatever a token says of itself, seconds. */
const LONGEST_S = 10 * 365 * 86_400;
const MAX_JTI_LENGTH = 1024;

/** Creates the factory. */
export function createRevocationFactory(options: RevocationFactoryOptions): RevocationFactory {
  const { issuers, clock, random } = options;
  const create = (target: RevocationTarget, end: End, details: RevocationDetails): Revocation => {
    const createdAtMs = clock.now();
    const { source, reason } = details;
    return { id: createRevocationId(createdAtMs, random()), ...target, ...end, createdAtMs, source, reason };
  };
  const nowS = (): number => Math.floor(clock.now() / 1000);

  return {
    ofClaim(target, details) {
      const terms = issuers().get(target.issuer);
      if (terms === undefined) return undefined;
      const hasBefore = target.kind === 'sub' || target.kind === 'client';
      const revocation = create(target, endOf(terms, details.expiresInS, nowS()), details);
      return hasBefore ? { ...revocation, beforeS: details.beforeS ?? nowS() } : revocation;
    },
    ofToken(token, details) {
      const claims = readClaims(token);
      const issuer = typeof claims?.iss === 'string' && issuers().has(claims.iss) ? claims.iss : '';
      const terms = issuers().get(issuer) ?? longestOf(issuers().values());
      const target: RevocationTarget = { kind: 'token', issuer, value: hashForRevocation(token) };
      const end = endOfToken(claims?.exp, terms, { nowS: nowS(), expiresInS: details.expiresInS });
      const revocation = create(target, end, details);
      const jti = issuer === '' ? undefined : jtiOf(claims);
      return jti === undefined ? revocation : { ...revocation, jti };
    },
  };
}

type End = Pick<Revocation, 'expiresAtS' | 'heldUntilS'>;

/** Unless the operator says when, it counts for as long as a clock that is off lets a token live. */
function endOf(terms: IssuerTerms, expiresInS: number | undefined, nowS: number): End {
  const longestS = Math.ceil((terms.maxLifetimeMs + terms.clockToleranceMs) / 1000);
  const expiresAtS = nowS + Math.min(expiresInS ?? longestS, longestS);
  const isWhole = expiresInS === undefined || expiresInS >= longestS;
  return { expiresAtS, heldUntilS: expiresAtS + (isWhole ? Math.ceil(terms.clockToleranceMs / 1000) : 0) };
}

function endOfToken(
  exp: unknown,
  terms: IssuerTerms,
  { nowS, expiresInS }: { readonly nowS: number; readonly expiresInS: number | undefined },
): End {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return endOf(terms, expiresInS, nowS);
  const toleranceS = Math.ceil(terms.clockToleranceMs / 1000);
  const ownS = Math.min(Math.max(Math.ceil(exp), nowS), nowS + LONGEST_S);
  // It is accepted until its exp and the tolerance are over, so an end before that is the operator's own.
  if (expiresInS === undefined || nowS + expiresInS >= ownS)
    return { expiresAtS: ownS, heldUntilS: ownS + toleranceS };
  return { expiresAtS: nowS + expiresInS, heldUntilS: nowS + expiresInS };
}

function longestOf(terms: Iterable<IssuerTerms>): IssuerTerms {
  let longest = { maxLifetimeMs: 0, clockToleranceMs: 0 };
  for (const one of terms) {
    longest = {
      maxLifetimeMs: Math.max(longest.maxLifetimeMs, one.maxLifetimeMs),
      clockToleranceMs: Math.max(longest.clockToleranceMs, one.clockToleranceMs),
    };
  }
  return longest;
}

function jtiOf(claims: JsonObject | undefined): string | undefined {
  const jti = claims?.jti;
  return typeof jti === 'string' && jti !== '' && jti.length <= MAX_JTI_LENGTH ? jti : undefined;
}

/** What a JWT says of itself, unverified; undefined for any other text. */
export function readClaims(token: string): JsonObject | undefined {
  try {
    const { header, payload } = splitCompactJws(token, token.length);
    readJson(header);
    return readJson(payload);
  } catch (error) {
    if (error instanceof JwsRejection) return undefined;
    throw error;
  }
}

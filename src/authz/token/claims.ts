import type { JsonObject } from '../../ports.js';
import { Denial } from '../denial.js';
import type { VerifiedToken } from '../types.js';
import { assertConfirmation } from './confirmation.js';
import type { ClaimRules, TokenProfile } from './types.js';

/** What the claims of a token say, of the kinds and shapes this gate relies on. */
export type TokenClaims = Omit<VerifiedToken, 'issuer' | 'hash' | 'claims'>;

/** The times of a token, seconds since the epoch, fractions allowed (RFC 7519 2, NumericDate). */
export type TokenTimes = Pick<VerifiedToken, 'expiresAtS' | 'notBeforeS' | 'issuedAtS'>;

/** The end of the year 9999. Later is no time, but a number that breaks arithmetic somewhere. */
const MAX_TIME_S = 253_402_300_799;
/** Of a subject, client or token identifier, in characters. */
const MAX_IDENTIFIER_LENGTH = 1024;

/** Claims that only an ID token has (OpenID Connect Core 2 and 3.3.2.11). */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash'] as const;
/** RFC 9068 2.2, beside iss, aud and exp, which every profile requires. */
const RFC9068_CLAIMS = ['sub', 'client_id', 'iat', 'jti'] as const;

/**
 * Asserts everything in the claims that does not change with time, with strict types. Does not compare the times with a
 * clock, and does not look at `iss`, which chose the rules.
 *
 * @param payload of a token that its kind has verified
 * @throws Denial invalid_claims, invalid_audience, invalid_token_type, token_lifetime_too_long, unsupported_confirmation
 * @see RFC 7519 section 4.1, RFC 9068 sections 2.2 and 4
 */
export function assertClaims(payload: JsonObject, rules: ClaimRules): TokenClaims {
  assertKindOfToken(payload, rules.profile);
  if (payload.aud !== undefined || rules.optional?.aud !== true) {
    assertAudience(payload.aud, rules.audiences);
  }
  const expiresAtS = assertTime(payload.exp);
  if (expiresAtS === undefined && rules.optional?.exp !== true) throw invalid();
  const issuedAtS = assertTime(payload.iat);
  if (((expiresAtS ?? 0) - (issuedAtS ?? Infinity)) * 1000 > rules.maxLifetimeMs) {
    throw new Denial('token_lifetime_too_long');
  }
  assertIdentifier(payload.jti);
  const authorizedParty = assertIdentifier(payload.azp);
  return {
    subject: assertIdentifier(payload.sub),
    clientId: assertIdentifier(payload.client_id) ?? authorizedParty,
    scopes: assertScopes(payload),
    confirmation: assertConfirmation(payload.cnf),
    expiresAtS,
    notBeforeS: assertTime(payload.nbf),
    issuedAtS,
  };
}

/**
 * Compares a token's times with the clock: not expired, valid already, not from the future, not living too long from now.
 * Cheap, and done on every use of a token, whether it was verified now or before.
 *
 * @param nowMs milliseconds since the epoch
 * @throws Denial expired_token, token_not_yet_valid, token_lifetime_too_long
 * @see RFC 7519 sections 4.1.4 to 4.1.6
 */
export function assertTimes(times: TokenTimes, nowMs: number, rules: ClaimRules): void {
  const toleranceMs = rules.clockToleranceMs;
  if (isExpired(times.expiresAtS, nowMs, toleranceMs)) throw new Denial('expired_token');
  const latestMs = nowMs + toleranceMs;
  if ((times.notBeforeS ?? 0) * 1000 > latestMs || (times.issuedAtS ?? 0) * 1000 > latestMs) {
    throw new Denial('token_not_yet_valid');
  }
  if ((times.expiresAtS ?? 0) * 1000 - latestMs > rules.maxLifetimeMs)
    throw new Denial('token_lifetime_too_long');
}

/**
 * Is the moment of expiry reached, tolerance included?
 *
 * @param expiresAtS seconds since the epoch; undefined: there is none
 * @param nowMs milliseconds since the epoch
 */
export function isExpired(expiresAtS: number | undefined, nowMs: number, toleranceMs: number): boolean {
  return expiresAtS !== undefined && nowMs >= expiresAtS * 1000 + toleranceMs;
}

function invalid(): Denial {
  return new Denial('invalid_claims');
}

/**
 * A token for another purpose must not pass as an access token (RFC 8725 3.12). `events` makes it a security event
 * token, such as a logout token (RFC 8417 2.2).
 */
function assertKindOfToken(payload: JsonObject, profile: TokenProfile): void {
  if (typeof payload.events === 'object' && payload.events !== null) throw new Denial('invalid_token_type');
  if (profile === 'compatible') {
    for (const name of ID_TOKEN_CLAIMS)
      if (payload[name] !== undefined) throw new Denial('invalid_token_type');
  } else {
    for (const name of RFC9068_CLAIMS) if (payload[name] === undefined) throw invalid();
  }
}

function assertAudience(aud: unknown, accepted: ReadonlySet<string>): void {
  const audiences = typeof aud === 'string' ? [aud] : readStrings(aud);
  if (audiences === undefined || audiences.length === 0) throw invalid();
  if (!audiences.some((one) => accepted.has(one))) {
    const mismatch = { requirement: 'audiences', expected: accepted, found: audiences };
    throw new Denial('invalid_audience', { mismatch });
  }
}

function assertTime(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  // Written so that NaN fails too, though the reader lets none through.
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_TIME_S)) throw invalid();
  return value;
}

function assertIdentifier(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > MAX_IDENTIFIER_LENGTH) throw invalid();
  return value;
}

/**
 * `scope` is a string of space-separated tokens (RFC 8693 4.2, RFC 9068 2.2.3). `scp`, a string of the same kind or a
 * list, is what Microsoft Entra and Okta send instead; it counts only where there is no `scope`.
 */
function assertScopes(payload: JsonObject): ReadonlySet<string> {
  const { scope, scp } = payload;
  if (scope !== undefined && typeof scope !== 'string') throw invalid();
  if (scp === undefined || typeof scp === 'string') return splitScopes(scope ?? scp);
  const list = readStrings(scp);
  // A member with a space in it would be two scopes wherever they are joined again.
  if (list === undefined || list.some((one) => one === '' || one.includes(' '))) throw invalid();
  return scope === undefined ? new Set(list) : splitScopes(scope);
}

const NO_SCOPES: ReadonlySet<string> = new Set();

function splitScopes(text: string | undefined): ReadonlySet<string> {
  if (text === undefined || text === '') return NO_SCOPES;
  const scopes = new Set(text.split(' '));
  scopes.delete('');
  return scopes;
}

function readStrings(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.every((one) => typeof one === 'string') ? value : undefined;
}

import { hash } from 'node:crypto';
import { ASYMMETRIC_ALGORITHMS, type AsymmetricAlgorithm, type VerificationKey } from '../../jwk/types.js';
import { readJson, splitCompactJws, type JwsSegments } from '../../jws/compact.js';
import { readJoseHeader, type JoseHeader } from '../../jws/header.js';
import { JwsRejection } from '../../jws/jws-rejection.js';
import { verifySignature } from '../../jws/verify.js';
import type { JsonObject } from '../../ports.js';
import { UnprovableProofError, type ReplayStore } from '../../stores/replay-store.js';
import { OAuthError } from '../oauth-error.js';

/** An assertion that was taken apart. Nothing of it is verified. */
export interface Assertion {
  readonly jws: JwsSegments;
  readonly header: JoseHeader;
  readonly alg: AsymmetricAlgorithm;
  readonly claims: JsonObject;
}

/** What the claims of an assertion are held to. */
export interface AssertionRules {
  /** One of these must be in `aud`. */
  readonly audiences: readonly string[];
  /** `exp` may be this far away at most, milliseconds. */
  readonly maxLifetimeMs: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const MAX_BYTES = 16_384;
const CLOCK_TOLERANCE_MS = 30_000;
const MAX_TEXT = 1024;
const MAX_CANDIDATES = 4;

/** One refusal for all faults of an assertion, so that an attacker does not learn which it was. */
export function invalidAssertion(description = 'the assertion is not acceptable'): OAuthError {
  return new OAuthError('invalid_grant', description);
}

/** Takes an assertion apart, strictly. Verifies nothing. @throws OAuthError invalid_grant */
export function parseAssertion(text: string): Assertion {
  try {
    const jws = splitCompactJws(text, MAX_BYTES);
    const header = readJoseHeader(readJson(jws.header));
    const alg = ASYMMETRIC_ALGORITHMS.find((one) => one === header.alg);
    if (alg === undefined) throw invalidAssertion('the algorithm of the assertion is not accepted');
    return { jws, header, alg, claims: readJson(jws.payload) };
  } catch (error) {
    if (error instanceof JwsRejection) throw invalidAssertion('the assertion is not a well-formed JWT');
    throw error;
  }
}

/** @throws OAuthError invalid_grant where none of these keys signed it */
export function assertSigned({ jws, header, alg }: Assertion, keys: readonly VerificationKey[]): void {
  const candidates = keys.filter(
    (key) =>
      key.algorithms.includes(alg) &&
      (header.kid === undefined || key.kid === undefined || key.kid === header.kid),
  );
  if (!candidates.slice(0, MAX_CANDIDATES).some((key) => verifySignature(jws, key, alg)))
    throw invalidAssertion('the signature of the assertion is not valid');
}

/**
 * Asserts what RFC 7523 3 asks of every assertion: `iss` and `sub`, for us, not expired and not for long, valid already.
 *
 * @throws OAuthError invalid_grant
 */
export function assertAssertionClaims(
  claims: JsonObject,
  { audiences, maxLifetimeMs, nowMs }: AssertionRules,
): void {
  if (!isText(claims.iss) || !isText(claims.sub)) throw invalidAssertion('iss and sub are required');
  const aud: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!aud.some((one) => typeof one === 'string' && audiences.includes(one)))
    throw invalidAssertion('the assertion is meant for another audience');
  const { exp, nbf, iat } = claims;
  if (typeof exp !== 'number') throw invalidAssertion('exp is required');
  if (nowMs >= exp * 1000 + CLOCK_TOLERANCE_MS) throw invalidAssertion('the assertion has expired');
  if (exp * 1000 > nowMs + maxLifetimeMs + CLOCK_TOLERANCE_MS)
    throw invalidAssertion('the assertion lives too long');
  for (const time of [nbf, iat]) {
    if (time !== undefined && !(typeof time === 'number' && time * 1000 <= nowMs + CLOCK_TOLERANCE_MS))
      throw invalidAssertion('the assertion is not valid yet');
  }
}

/**
 * Spends the `jti` of a verified assertion.
 *
 * @param options signer: whose key signed it, as it was verified; nowMs: milliseconds since the epoch
 * @throws OAuthError invalid_grant where it is missing or was used before; ReplayUnavailableError
 * @see RFC 7523 section 3, point 7
 */
export async function spendAssertion(
  claims: JsonObject,
  {
    signer,
    replay,
    nowMs,
  }: { readonly signer: string; readonly replay: ReplayStore; readonly nowMs: number },
): Promise<void> {
  const { exp, iat } = claims;
  const name = (...parts: unknown[]): string =>
    hash('sha256', JSON.stringify(['assertion', ...parts]), 'base64url');
  try {
    const isFirst = await replay.spend({
      // One signer fills no more than its share of the memory, and cannot use up the jti of another one.
      jkt: name(signer),
      replayKey: name(signer, assertJti(claims)),
      // Whole seconds: within that of its start a store cannot tell, and is believed.
      issuedAtMs: typeof iat === 'number' ? iat * 1000 + 999 : nowMs,
      expiresAtMs: Number(exp) * 1000 + CLOCK_TOLERANCE_MS,
    });
    if (isFirst) return;
  } catch (error) {
    if (!(error instanceof UnprovableProofError)) throw error;
  }
  throw invalidAssertion('the assertion was used before, or may have been');
}

/** @throws OAuthError invalid_grant */
export function assertJti({ jti }: JsonObject): string {
  if (!isText(jti)) throw invalidAssertion('jti is required');
  return jti;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT;
}

import { decodeText, readJson, splitCompactJws } from '../jws/compact.js';
import { readJoseHeader } from '../jws/header.js';
import { JwsRejection } from '../jws/jws-rejection.js';
import { parseStrictJsonText } from '../jws/strict-json.js';
import { verifySignature } from '../jws/verify.js';
import { ASYMMETRIC_ALGORITHMS, type SignatureAlgorithm } from '../jwk/types.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { JsonObject } from '../ports.js';
import { type Claims, claimsOf, IllFormedAnswerError } from './read-answer.js';

/** What a signed answer is held to. */
export interface SignedAnswerRules {
  readonly issuer: string;
  /** Must be in `aud`. */
  readonly clientId: string;
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly keys: IssuerKeys;
  readonly clockToleranceMs: number;
}

/** As `Accept` and `Content-Type` call a signed answer. */
export const SIGNED_ANSWER_TYPE = 'application/token-introspection+jwt';

const TYPES = new Set<string | undefined>(['token-introspection+jwt', SIGNED_ANSWER_TYPE]);
const MAX_BYTES = 262_144;
const MAX_CANDIDATES = 4;

/**
 * Verifies a signed answer, and reads what it says. Encrypted answers are refused, and so are those signed with an HMAC.
 *
 * @param text of the answer, untrusted
 * @param nowMs milliseconds since the epoch
 * @throws IllFormedAnswerError; KeysUnavailableError
 * @see RFC 9701 section 5, RFC 8725 section 3
 */
export async function verifySignedAnswer(
  text: string,
  rules: SignedAnswerRules,
  nowMs: number,
): Promise<Claims> {
  const { jws, header, payload } = read(text.trim());
  const alg = header.alg as SignatureAlgorithm;
  if (!TYPES.has(header.typ)) throw new IllFormedAnswerError('another typ than token-introspection+jwt');
  if (!rules.algorithms.has(alg) || !ASYMMETRIC_ALGORITHMS.some((one) => one === alg))
    throw new IllFormedAnswerError('signed with an algorithm that is not accepted');
  assertEnvelope(payload, rules, nowMs);
  const keys = await rules.keys.find(header.kid, alg, payload);
  if (!keys.slice(0, MAX_CANDIDATES).some((key) => verifySignature(jws, key, alg)))
    throw new IllFormedAnswerError('the signature is not valid');
  return claimsOf(payload.token_introspection);
}

function read(text: string) {
  try {
    const jws = splitCompactJws(text, MAX_BYTES);
    const header = readJoseHeader(readJson(jws.header));
    return { jws, header, payload: parseStrictJsonText(decodeText(jws.payload)) };
  } catch (error) {
    if (error instanceof JwsRejection) throw new IllFormedAnswerError('not a signed JWT');
    throw error;
  }
}

function assertEnvelope(
  { iss, aud, iat, exp }: JsonObject,
  { issuer, clientId, clockToleranceMs }: SignedAnswerRules,
  nowMs: number,
): void {
  if (iss !== issuer) throw new IllFormedAnswerError('another iss than the issuer');
  if (aud !== clientId && !(Array.isArray(aud) && aud.includes(clientId)))
    throw new IllFormedAnswerError('not meant for this client');
  if (typeof iat !== 'number' || iat * 1000 > nowMs + clockToleranceMs)
    throw new IllFormedAnswerError('iat is missing or in the future');
  if (exp === undefined) return;
  if (typeof exp !== 'number' || nowMs >= exp * 1000 + clockToleranceMs)
    throw new IllFormedAnswerError('expired');
}

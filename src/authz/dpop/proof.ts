import { hash } from 'node:crypto';
import type { AsymmetricAlgorithm } from '../../jwk/types.js';
import { readJson, splitCompactJws, type JwsSegments } from '../../jws/compact.js';
import { JwsRejection } from '../../jws/jws-rejection.js';
import { verifySignature } from '../../jws/verify.js';
import type { JsonObject } from '../../ports.js';
import { Denial } from '../denial.js';
import type { AuthzRequest, VerifiedProof, VerifiedToken } from '../types.js';
import type { Nonces } from './nonce.js';
import type { OriginsOfHost } from './origins.js';
import {
  importProofKey,
  readProofHeader,
  type ProofHeader,
  type ProofKey,
  type ProofKeys,
} from './proof-keys.js';
import { isTarget } from './target-uri.js';

/** What a proof is checked against, from the configuration. */
export interface ProofRules {
  readonly algorithms: readonly AsymmetricAlgorithm[];
  /** Of `iat`, milliseconds. */
  readonly maxAgeMs: number;
  /** For clocks that differ, either way, milliseconds. */
  readonly clockToleranceMs: number;
  readonly originsOfHost: OriginsOfHost;
  /** undefined: no nonce is required, and one that is sent is ignored. */
  readonly nonces: Nonces | undefined;
  readonly keys: ProofKeys;
}

/** What a proof is presented with. */
export interface ProofUse {
  readonly request: Pick<AuthzRequest, 'method' | 'path' | 'host'>;
  /**
   * The token beside the proof, verified, and bound to a key. undefined: at a token endpoint, where there is none yet;
   * any key will do, and `ath` is not looked at (RFC 9449 5).
   */
  readonly token: Pick<VerifiedToken, 'hash' | 'confirmation'> | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * Verifies a DPoP proof for a request and its token: every check of RFC 9449 4.3 except replay, which comes
 * last.
 *
 * @param proof the one DPoP field of the request, untrusted
 * @throws Denial dpop_proof_*, dpop_key_mismatch, dpop_nonce_required, invalid_host
 */
export type VerifyProof = (proof: string, use: ProofUse) => VerifiedProof;

const MAX_PROOF_BYTES = 8192;
const MAX_JTI_LENGTH = 256;
/** What a nonce of a token endpoint is for; no hash of a token looks like it. */
const NO_TOKEN = 'token endpoint';

/** The claims of a proof, with their types. */
interface ProofClaims {
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
  readonly ath: string | undefined;
  readonly iat: number;
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
  readonly nonce: string | undefined;
}

/**
 * Creates the verification of proofs. Checks go from cheap to expensive, so that refusing costs less than accepting: form,
 * header, key against `cnf.jkt`, claims, then the signature, and last the nonce, so that only a client with the token and
 * its key gets one. A key that is not the token's is not even imported.
 *
 * @see RFC 9449 sections 4.3, 7.1, 8 and 11.1
 */
export function createProofVerifier(rules: ProofRules): VerifyProof {
  const algorithms = new Set(rules.algorithms);

  return (proof, use) => {
    const origins = rules.originsOfHost(use.request.host);
    const { jws, header, payload } = parseProof(proof, rules.keys);
    if (!algorithms.has(header.alg)) throw new Denial('dpop_proof_algorithm');
    if (use.token !== undefined && header.jkt !== use.token.confirmation?.jkt)
      throw new Denial('dpop_key_mismatch');

    const claims = readClaims(payload);
    if (use.token !== undefined && claims.ath === undefined) throw new Denial('dpop_proof_claims');
    assertUse(claims, use, origins);
    const expiresAtMs = assertFresh(claims, rules, use.nowMs);

    const isKnown = 'key' in header;
    const key = isKnown ? header : importProofKey(header);
    assertSignature(jws, key);
    if (!isKnown) rules.keys.keep(jws.header, key);
    const freshNonce = rules.nonces?.verify(claims.nonce, use.token?.hash ?? NO_TOKEN, use.nowMs);
    return {
      jkt: key.jkt,
      replayKey: replayKeyOf(key.jkt, claims.jti),
      issuedAtMs: claims.iat * 1000,
      expiresAtMs,
      freshNonce,
    };
  };
}

/** A proof, taken apart: with its key where that is known by the header, else with what the header says. */
interface ReadProof {
  readonly jws: JwsSegments;
  readonly header: ProofHeader | ProofKey;
  readonly payload: JsonObject;
}

function parseProof(proof: string, keys: ProofKeys): ReadProof {
  try {
    const jws = splitCompactJws(proof, MAX_PROOF_BYTES);
    const header = keys.find(jws.header) ?? readProofHeader(readJson(jws.header));
    return { jws, header, payload: readJson(jws.payload) };
  } catch (error) {
    if (error instanceof JwsRejection) throw new Denial('dpop_proof_malformed');
    throw error;
  }
}

function assertSignature(jws: JwsSegments, { key, alg }: ProofKey): void {
  if (!verifySignature(jws, key, alg)) throw new Denial('dpop_proof_signature');
}

function readClaims({ jti, htm, htu, ath, iat, exp, nbf, nonce }: JsonObject): ProofClaims {
  if (
    !isJti(jti) ||
    typeof htm !== 'string' ||
    typeof htu !== 'string' ||
    !isOptional('string', ath) ||
    typeof iat !== 'number' ||
    !isOptional('number', exp) ||
    !isOptional('number', nbf) ||
    !isOptional('string', nonce)
  ) {
    throw new Denial('dpop_proof_claims');
  }
  return {
    jti,
    htm,
    htu,
    ath: ath as string,
    iat,
    exp: exp as number,
    nbf: nbf as number,
    nonce: nonce as string,
  };
}

function isJti(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_JTI_LENGTH;
}

function isOptional(type: 'number' | 'string', value: unknown): boolean {
  return value === undefined || typeof value === type;
}

/** For this method, this target and this token (RFC 9449 4.3, checks 8, 9 and 12). */
function assertUse({ htm, htu, ath }: ProofClaims, use: ProofUse, origins: readonly string[]): void {
  if (htm !== use.request.method) throw new Denial('dpop_proof_method');
  if (!isTarget(htu, origins, use.request.path)) throw new Denial('dpop_proof_target');
  if (use.token !== undefined && ath !== use.token.hash) throw new Denial('dpop_proof_token_hash');
}

/**
 * `iat` within its window, and `exp` and `nbf` honoured where a client sets them (RFC 7519 4.1).
 *
 * @returns the last moment at which this holds, milliseconds since the epoch
 */
function assertFresh(claims: ProofClaims, rules: ProofRules, nowMs: number): number {
  const { iat, exp = Infinity, nbf = -Infinity } = claims;
  const lastMs = Math.min(iat * 1000 + rules.maxAgeMs, exp * 1000) + rules.clockToleranceMs;
  const firstMs = Math.max(iat, nbf) * 1000 - rules.clockToleranceMs;
  if (nowMs > lastMs || nowMs < firstMs) throw new Denial('dpop_proof_time');
  return lastMs;
}

/** By key and `jti`, whatever the target: a proof is spent once. The hash bounds its size and hides the client's text. */
function replayKeyOf(jkt: string, jti: string): string {
  return `${jkt}:${hash('sha256', jti, 'base64url')}`;
}

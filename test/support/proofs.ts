/** Mints DPoP proofs, good ones and broken ones, and the requests they are for. */
import { hash, randomBytes } from 'node:crypto';
import { createNonces, type Nonces } from '../../src/authz/dpop/nonce.js';
import { createOriginsOfHost } from '../../src/authz/dpop/origins.js';
import { createProofKeys } from '../../src/authz/dpop/proof-keys.js';
import { createProofVerifier, type ProofRules, type ProofUse } from '../../src/authz/dpop/proof.js';
import { Denial } from '../../src/authz/denial.js';
import type { VerifiedProof } from '../../src/authz/types.js';
import { jwkThumbprint } from '../../src/jwk/thumbprint.js';
import {
  NOW_MS,
  NOW_S,
  signJws,
  testKey,
  type JwsParts,
  type SegmentContent,
  type TestKey,
} from './tokens.js';

/** A token's text: nothing but its hash matters to a proof. */
export const BOUND_TOKEN = 'a-token.that-is.bound';
/** What proofs are for unless they say otherwise. */
const TARGET = 'https://api.example.com/orders';

/** `ath` of a token. */
export const athOf = (token: string): string => hash('sha256', token, 'base64url');

/** `cnf.jkt` for a key. */
export const jktOf = (key: TestKey): string => jwkThumbprint(key.jwk);

/** The members that make the key, as clients put them into a proof. */
export function bareJwk({ jwk }: TestKey): Record<string, unknown> {
  const { kid: _kid, alg: _alg, use: _use, ...bare } = jwk;
  return bare;
}

/** How a minted proof differs from a good one. */
export interface ProofOptions {
  readonly key?: TestKey;
  readonly token?: string;
  /** Over the header of a good proof; `undefined` takes a member out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Over the claims of a good proof; `undefined` takes one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly rawHeader?: SegmentContent;
  readonly rawPayload?: SegmentContent;
  /** Signs with something else than the header says. */
  readonly signature?: Pick<JwsParts, 'alg' | 'key'>;
}

/** Mints a proof: a good one for TARGET and BOUND_TOKEN by ES256, but for what the options say. */
export function mintProof(options: ProofOptions = {}): string {
  const key = options.key ?? testKey('ES256');
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: bareJwk(key), ...options.header };
  const payload = {
    jti: randomBytes(12).toString('base64url'),
    htm: 'GET',
    htu: TARGET,
    iat: NOW_S,
    ath: athOf(options.token ?? BOUND_TOKEN),
    ...options.claims,
  };
  return signJws({
    header: options.rawHeader ?? header,
    payload: options.rawPayload ?? payload,
    key: options.signature?.key ?? key.privateKey,
    alg: options.signature?.alg ?? key.alg,
  });
}

/** The default rules of the configuration, with what the test changes. */
export function proofRules(over: Partial<ProofRules> = {}): ProofRules {
  return {
    algorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'],
    maxAgeMs: 60_000,
    clockToleranceMs: 10_000,
    originsOfHost: createOriginsOfHost(undefined),
    nonces: undefined,
    keys: createProofKeys(),
    ...over,
  };
}

/** Nonces under fixed secrets, with the defaults of the configuration. */
export function testNonces(secrets: readonly string[] = ['a secret of this test']): Nonces {
  return createNonces({ secrets, lifetimeMs: 300_000, clockToleranceMs: 10_000 });
}

/** A GET of TARGET with BOUND_TOKEN, bound to the key of minted proofs, but for what the test changes. */
export function proofUse(over: Partial<ProofUse> = {}): ProofUse {
  return {
    request: { method: 'GET', host: 'api.example.com', path: '/orders' },
    token: { hash: athOf(BOUND_TOKEN), confirmation: { jkt: jktOf(testKey('ES256')) } },
    nowMs: NOW_MS,
    ...over,
  };
}

/** Verifies under fresh rules. */
export function verifyOnce(
  proof: string,
  use: Partial<ProofUse> = {},
  rules: Partial<ProofRules> = {},
): VerifiedProof {
  return createProofVerifier(proofRules(rules))(proof, proofUse(use));
}

/** The denial that something ends in, or the word `nothing`. */
export function denialOf(run: () => unknown): Denial | 'nothing' {
  try {
    run();
  } catch (error) {
    if (error instanceof Denial) return error;
    throw error;
  }
  return 'nothing';
}

/** The code of the denial that something ends in, or the word `nothing`. */
export function codeOf(run: () => unknown): string {
  const denial = denialOf(run);
  return denial instanceof Denial ? denial.code : denial;
}

import { createNonces } from './authz/dpop/nonce.js';
import { createProofVerifier, type ProofRules, type VerifyProof } from './authz/dpop/proof.js';
import type { DpopConfig } from './config/config.js';

/**
 * Makes the verifier of DPoP proofs that the section `dpop` describes, for a Check and for the token endpoint alike.
 * Does not look at `dpop.mode`.
 *
 * @param parts what differs: the keys that are kept, and the origins that a host stands for
 */
export function createConfiguredProofVerifier(
  { algorithms, maxAge: maxAgeMs, clockTolerance: clockToleranceMs, nonce }: DpopConfig,
  parts: Pick<ProofRules, 'keys' | 'originsOfHost'>,
): VerifyProof {
  const nonces =
    nonce.mode === 'off'
      ? undefined
      : createNonces({ secrets: nonce.secrets, lifetimeMs: nonce.lifetime, clockToleranceMs });
  return createProofVerifier({ algorithms, maxAgeMs, clockToleranceMs, nonces, ...parts });
}

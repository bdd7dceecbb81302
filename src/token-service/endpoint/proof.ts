import type { Context } from 'hono';
import { Denial } from '../../authz/denial.js';
import type { VerifyProof } from '../../authz/dpop/proof.js';
import type { Clock } from '../../ports.js';
import type { VerifiedProof } from '../../authz/types.js';
import { UnprovableProofError, type ReplayStore } from '../../stores/replay-store.js';
import { OAuthError } from '../oauth-error.js';

/** What proofs at the endpoint are judged with. */
export interface EndpointProofOptions {
  /** `tokens.issuer`: with the path of the request it is the `htu` that a proof must have. */
  readonly issuer: string;
  /** undefined: `dpop.mode` is off, and a proof is not looked at. */
  readonly verifyProof: VerifyProof | undefined;
  readonly replay: ReplayStore;
  readonly clock: Clock;
}

/** A proof that was verified. */
export interface EndpointProof {
  readonly jkt: string;
  /** For the client's next proof, where the nonce of this one is near its end. */
  readonly freshNonce: string | undefined;
  /**
   * Spends it: the last step before a token is issued, so that only who may have one can fill the memory.
   *
   * @throws OAuthError invalid_dpop_proof where it was spent before; ReplayUnavailableError
   */
  spend(): Promise<void>;
}

/**
 * Verifies the DPoP proof of a request to the token endpoint.
 *
 * @returns undefined where there is none
 * @throws OAuthError invalid_dpop_proof, use_dpop_nonce
 */
export type JudgeProof = (c: Context) => EndpointProof | undefined;

/**
 * Creates the judge of proofs.
 *
 * @see RFC 9449 sections 5 and 8
 */
export function createProofJudge({ issuer, verifyProof, replay, clock }: EndpointProofOptions): JudgeProof {
  const { host, pathname } = new URL(issuer);
  const base = pathname.replace(/\/$/, '');
  return (c) => {
    const field = c.req.header('dpop');
    if (field === undefined || verifyProof === undefined) return undefined;
    const request = { method: c.req.method, path: base + c.req.path, host };
    const proof = asOAuthError(() => verifyProof(field, { request, token: undefined, nowMs: clock.now() }));
    return {
      jkt: proof.jkt,
      freshNonce: proof.freshNonce,
      spend: async () => {
        await spendProof(proof, replay);
      },
    };
  };
}

async function spendProof(proof: VerifiedProof, replay: ReplayStore): Promise<void> {
  try {
    if (await replay.spend(proof)) return;
  } catch (error) {
    if (!(error instanceof UnprovableProofError)) throw error;
  }
  throw new OAuthError('invalid_dpop_proof', 'the proof was used before, or may have been');
}

function asOAuthError<T>(verify: () => T): T {
  try {
    return verify();
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    if (error.code === 'dpop_nonce_required') {
      const nonce = error.details.nonce ?? '';
      throw new OAuthError('use_dpop_nonce', 'a nonce of this server is needed in the proof', {
        'dpop-nonce': nonce,
      });
    }
    throw new OAuthError('invalid_dpop_proof', `the proof was refused: ${error.code}`);
  }
}

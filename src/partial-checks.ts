/** Single steps of the decision, for code that has no request to decide on. The very stages of the pipeline do the work. */
import { UNKNOWN_REQUEST } from './authz/create-request.js';
import { assertWellFormed } from './authz/credentials.js';
import { Denial } from './authz/denial.js';
import type { VerifyProof } from './authz/dpop/proof.js';
import { createContext } from './authz/pipeline.js';
import { runStages } from './authz/run-stages.js';
import { createAuthorizeStage } from './authz/stages/authorize.js';
import type { CheckContext, Policy, Stage, VerifiedProof, VerifiedToken } from './authz/types.js';

/** What a token is held to beside its own validity. */
export interface TokenUse {
  /** undefined: no requirement. */
  readonly policy: Policy | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** What a proof is presented with. */
export interface LoneProofUse {
  readonly method: string;
  /** In normal form, and trusted: the origin under which clients see the service. */
  readonly origin: string;
  readonly path: string;
  /** undefined: there is no token yet, as at a token endpoint. */
  readonly token: Pick<VerifiedToken, 'hash' | 'confirmation'> | undefined;
  /** false: the proof is checked and may be used again. */
  readonly isSpent: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Single steps of the decision of one configuration. */
export interface PartialChecks {
  /**
   * Verifies a token, whether it is revoked, and what a policy asks of it. Does not look at the sender constraint.
   *
   * @throws Denial
   */
  verifyToken(token: string, use: TokenUse): Promise<VerifiedToken>;
  /** Verifies a DPoP proof, and spends it. @throws Denial */
  verifyProof(proof: string, use: LoneProofUse): Promise<VerifiedProof>;
}

/** What the checks are made of; all of it of one configuration. */
export interface PartialCheckParts {
  readonly verifyToken: Stage;
  /** Empty where revocation is off. */
  readonly checkRevocation: readonly Stage[];
  /** Takes the host of the request for the origin itself. */
  readonly verifyProof: VerifyProof;
  readonly spendProof: Stage;
  readonly maxTokenBytes: number;
}

const AUTHORIZATION = { kind: 'header', name: 'authorization' } as const;
const NO_PARAMS = Object.freeze({});

/** Creates the checks. */
export function createPartialChecks(parts: PartialCheckParts): PartialChecks {
  const judge = [parts.verifyToken, ...parts.checkRevocation];
  const judgeByPolicy = [...judge, createAuthorizeStage()];
  return {
    async verifyToken(token, { policy, nowMs }) {
      assertWellFormed(token, parts.maxTokenBytes);
      const ctx = createContext(UNKNOWN_REQUEST, nowMs);
      ctx.credential = { scheme: 'bearer', token, place: AUTHORIZATION };
      if (policy !== undefined) ctx.match = { policy, source: 'default', params: NO_PARAMS };
      await runStages(policy === undefined ? judge : judgeByPolicy, ctx);
      return tokenOf(ctx);
    },
    async verifyProof(proof, { method, origin, path, token, isSpent, nowMs }) {
      const ctx = createContext(UNKNOWN_REQUEST, nowMs);
      const verified = parts.verifyProof(proof, { request: { method, host: origin, path }, token, nowMs });
      ctx.proof = verified;
      if (isSpent) await runStages([parts.spendProof], ctx);
      return verified;
    },
  };
}

function tokenOf({ token }: CheckContext): VerifiedToken {
  if (token === undefined) throw new Denial('missing_credential');
  return token;
}

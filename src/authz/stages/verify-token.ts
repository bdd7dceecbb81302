import { Denial } from '../denial.js';
import type { TokenVerifier } from '../token/types.js';
import type { CheckContext, Stage, VerifiedToken } from '../types.js';

/**
 * Makes the stage that turns the credential into a verified token in `ctx.token`. Without a credential it lets only
 * policies with optional access go on. Does not look at the credential's scheme.
 *
 * @param verifier of the same configuration as the policies
 */
export function createVerifyTokenStage(verifier: TokenVerifier): Stage {
  return {
    name: 'verify-token',
    run(ctx) {
      if (ctx.credential === undefined) {
        assertOptional(ctx);
        return undefined;
      }
      const verified = verifier.verify(ctx.credential.token, ctx.nowMs, ctx.match?.policy.issuers);
      if (verified instanceof Promise) return waitFor(ctx, verified);
      ctx.token = verified;
      return undefined;
    },
  };
}

async function waitFor(ctx: CheckContext, verified: Promise<VerifiedToken>): Promise<undefined> {
  ctx.token = await verified;
  return undefined;
}

/** An earlier stage refuses this already; security must not depend on the order of stages. */
function assertOptional(ctx: CheckContext): void {
  if (ctx.match?.policy.access !== 'optional') throw new Denial('missing_credential');
}

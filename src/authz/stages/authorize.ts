/** Checks a verified token against the requirements of the policy. */
import { Denial } from '../denial.js';
import type { Stage } from '../types.js';

const NO_TOKEN = new Denial('missing_credential');
const NO_POLICY = new Denial('unknown_policy');

/**
 * Issuers first, then scopes, roles, claims, `when` and step-up, as the policy lists them. Does not check the token
 * itself, nor what binds it to its sender.
 *
 * @throws Denial issuer_not_allowed, insufficient_scope, insufficient_role, claim_mismatch, condition_failed,
 *   step_up_required; missing_credential where no token was verified before
 */
export function createAuthorizeStage(): Stage {
  return {
    name: 'authorize',
    run(ctx) {
      if (ctx.match === undefined) throw NO_POLICY;
      const { token } = ctx;
      if (token === undefined) throw NO_TOKEN;
      const { issuers, requirements } = ctx.match.policy;
      if (issuers !== undefined && !issuers.has(token.issuer)) {
        const mismatch = { requirement: 'issuers', expected: issuers, found: token.issuer };
        throw new Denial('issuer_not_allowed', { mismatch });
      }
      for (const require of requirements) require(ctx, token);
      return undefined;
    },
  };
}

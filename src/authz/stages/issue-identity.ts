/** Creates what names the caller to the upstream, while a denial is still possible. */
import type { IdentityHeaders } from '../identity/headers.js';
import type { IdentityTokenIssuer } from '../identity/token.js';
import type { Stage } from '../types.js';

/** What is created. */
export interface IssueIdentityOptions {
  readonly identity: IdentityHeaders;
  /** undefined: no identity token is configured. */
  readonly tokens: Pick<IdentityTokenIssuer, 'issue'> | undefined;
}

/**
 * Does not judge the identity, only whether it can be expressed.
 *
 * @throws Denial invalid_claims
 */
export function createIssueIdentityStage({ identity, tokens }: IssueIdentityOptions): Stage {
  return {
    name: 'issue-identity',
    run(ctx) {
      if (ctx.token === undefined) return undefined;
      ctx.identity = identity.of(ctx.token);
      ctx.identityToken = tokens?.issue(ctx.token, ctx.nowMs);
      return undefined;
    },
  };
}

/** Dynamic metadata of an answer: reason, policy, subject, and the claims that the upstream is told. */
import type { IdentityHeaders } from './identity/headers.js';
import type { CheckContext, Metadata } from './types.js';

/**
 * Makes the function that tells Envoy's access log and later filters what was decided. A denial tells of a token only
 * what was verified.
 *
 * @param identity whose claims are told; undefined: reason and policy alone
 */
export function createMetadata(
  identity: Pick<IdentityHeaders, 'metadataOf'> | undefined,
): (ctx: CheckContext, reason: string) => Metadata {
  return ({ match, token }, reason) => {
    const own = { reason, policy: match?.policy.name };
    if (token === undefined || identity === undefined) return own;
    // A claim must not take the place of what this gate itself says.
    return { ...identity.metadataOf(token), sub: token.subject, iss: token.issuer, ...own };
  };
}

/** Dynamic metadata of an answer: reason, policy, subject, and the claims that the upstream receives. */
import type { IdentityHeaders } from './identity/headers.js';
import { createKeptValues } from './kept.js';
import type { CheckContext, Metadata } from './types.js';

/** What was made for a token last. The same token usually meets the same policy. */
interface Made {
  readonly policy: string | undefined;
  readonly reason: string;
  readonly metadata: Metadata;
}

/**
 * Creates the function that describes a decision to the proxy's access log and later filters. A denial describes a token
 * only by what was verified. Equal answers get the very same object, so that its bytes can be kept.
 *
 * @param identity whose claims are included; undefined: reason and policy alone
 */
export function createMetadata(
  identity: Pick<IdentityHeaders, 'metadataOf'> | undefined,
): (ctx: CheckContext, reason: string) => Metadata {
  const byToken = createKeptValues<Made>();
  const plain = createPlainMetadata();
  return ({ match, token }, reason) => {
    const policy = match?.policy.name;
    if (token === undefined || identity === undefined) return plain(reason, policy);
    const known = byToken.get(token);
    if (known !== undefined && known.policy === policy && known.reason === reason) return known.metadata;
    // A claim must not replace what the gate itself reports.
    const metadata = Object.assign(identity.metadataOf(token), {
      sub: token.subject,
      iss: token.issuer,
      reason,
      policy,
      decision_id: undefined,
    });
    byToken.set(token, { policy, reason, metadata });
    return metadata;
  };
}

/** Metadata without a token: the same object for the same reason and policy, of which there are not many. */
function createPlainMetadata(): (reason: string, policy: string | undefined) => Metadata {
  const byPolicy = new Map<string | undefined, Map<string, Metadata>>();
  return (reason, policy) => {
    let byReason = byPolicy.get(policy);
    if (byReason === undefined) byPolicy.set(policy, (byReason = new Map<string, Metadata>()));
    let metadata = byReason.get(reason);
    if (metadata === undefined) byReason.set(reason, (metadata = Object.freeze({ reason, policy })));
    return metadata;
  };
}

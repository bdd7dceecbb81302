import type { Decision } from '../authz/types.js';
import type { Config } from '../config/config.js';
import { describeIdentifier, describeText, describeValue } from '../observability/redact.js';

/** Why a request was denied. Plain data; values are bounded, and hold nothing that looks like a credential. */
export interface Why {
  /** As the configuration calls it: `audiences`, `claims.tenant`, `roles.any`. */
  readonly requirement: string;
  readonly expected?: unknown;
  readonly found?: unknown;
  readonly hint?: string;
}

/**
 * Says which requirement a denied request did not meet.
 *
 * @returns undefined for an allow, and for a denial that has nothing to do with a requirement
 */
export function whyOf(decision: Decision, config: Config): Why | undefined {
  if (decision.kind === 'allow') return undefined;
  const { details, code } = decision.denial;
  if (details.mismatch === undefined) return undefined;
  const { requirement, expected, found } = details.mismatch;
  const hint = hintOf(code, { found, config });
  return {
    requirement,
    expected: describeValue(expected),
    found: describeValue(found, decision.ctx.token === undefined ? describeText : describeIdentifier),
    ...(hint === undefined ? {} : { hint }),
  };
}

function hintOf(code: string, { found, config }: { found: unknown; config: Config }): string | undefined {
  if (code === 'invalid_audience')
    return 'the token was issued for another service: have the client ask for an expected audience, or add one that is yours to audiences';
  if (code !== 'untrusted_issuer' || typeof found !== 'string') return undefined;
  const index = config.issuers.findIndex(({ issuer }) => withoutSlash(issuer) === withoutSlash(found));
  return index < 0
    ? undefined
    : `differs from issuers[${index}].issuer in the final slash only; issuers are compared byte for byte`;
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

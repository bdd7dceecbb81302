/** Allows what needs no credential: anonymous policies, and CORS preflights where the policy allows them. */
import { createSpellingCheck } from '../query.js';
import type { AuthzRequest, Stage } from '../types.js';

/** What the stage needs. */
export interface AdmitOptions {
  /** Query parameters that hold credentials; an odd spelling of one is refused under every policy. */
  readonly queryParameters: readonly string[];
}

/**
 * Does not look at credentials: they are removed from the request, not checked.
 *
 * @throws Denial ambiguous_token_parameter
 */
export function createAdmitStage({ queryParameters }: AdmitOptions): Stage {
  const assertPlainSpelling = createSpellingCheck(queryParameters);
  return {
    name: 'admit',
    run({ request, match }) {
      assertPlainSpelling(request.query);
      if (match === undefined) return undefined;
      const { policy } = match;
      if (policy.access === 'anonymous') return 'done';
      return policy.corsPreflight && isPreflight(request) ? 'done' : undefined;
    },
  };
}

/**
 * Is this a CORS preflight? Any client can send one, so only OPTIONS itself is allowed.
 *
 * @see Fetch standard, "CORS-preflight request"
 */
function isPreflight({ method, headers }: AuthzRequest): boolean {
  if (method !== 'OPTIONS') return false;
  return isPresent(headers.get('origin')) && isPresent(headers.get('access-control-request-method'));
}

function isPresent(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

/** Finds the credential of a request, or that it has none. */
import type { CredentialFinder } from '../credentials.js';
import { Denial } from '../denial.js';
import type { Stage } from '../types.js';

const MISSING = new Denial('missing_credential');

/**
 * Does not look into the token. Where the policy makes a credential optional and the request has none, it is
 * allowed here; one that is present must be valid.
 *
 * @throws Denial missing_credential, multiple_credentials, malformed_credential, token_too_large
 */
export function createFindCredentialStage(finder: CredentialFinder): Stage {
  return {
    name: 'find-credential',
    run(ctx) {
      ctx.credential = finder.find(ctx.request);
      if (ctx.credential !== undefined) return undefined;
      if (ctx.match?.policy.access === 'optional') return 'done';
      throw MISSING;
    },
  };
}

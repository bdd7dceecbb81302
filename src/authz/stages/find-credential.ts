/** Finds the one credential of a request, or finds that there is none. */
import type { CredentialFinder } from '../credentials.js';
import { Denial } from '../denial.js';
import type { Stage } from '../types.js';

const MISSING = new Denial('missing_credential');

/**
 * Does not look into the token. Where the policy makes a credential optional and there is none, the request is
 * allowed here; one that is there must be good.
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

import { createContext } from '../../src/authz/pipeline.js';
import type { AuthzRequest, CheckContext, Policy } from '../../src/authz/types.js';
import { authzRequest, policyOf } from '../authz/contexts.js';
import { NOW_MS } from './tokens.js';

export { headersOf as fakeHeaders } from '../authz/contexts.js';

/**
 * The context of a Check under some policy, before any credential was found: a GET of https://api.example.com/orders at
 * the moment at which tokens.ts mints, but for what the test changes.
 */
export function fakeContext(request: Partial<AuthzRequest> = {}, policy: Partial<Policy> = {}): CheckContext {
  const ctx = createContext({ ...authzRequest({ path: '/orders' }), ...request }, NOW_MS);
  ctx.match = { policy: policyOf(policy), source: 'default', params: {} };
  return ctx;
}

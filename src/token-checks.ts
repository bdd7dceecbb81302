/** Checks of a verified token for users of the library, with the rules of policies. */
import { createRoleRequirement } from './authz/policy/roles.js';
import { Denial } from './authz/denial.js';
import type { CheckContext, VerifiedToken } from './authz/types.js';

/**
 * Reports whether a token has scopes.
 *
 * @param options mode: `all` of them, which is the default, or `any`
 */
export function hasScopes(
  token: Pick<VerifiedToken, 'scopes'>,
  scopes: readonly string[],
  { mode = 'all' }: { readonly mode?: 'all' | 'any' } = {},
): boolean {
  const has = (scope: string): boolean => token.scopes.has(scope);
  return mode === 'all' ? scopes.every(has) : scopes.some(has);
}

/**
 * Reports whether a token has a role.
 *
 * @param options claims: where roles are looked for, as `roles.claims` of a policy. Default: `roles`, then `role`
 */
export function hasRole(
  token: Pick<VerifiedToken, 'claims'>,
  role: string,
  { claims }: { readonly claims?: readonly string[] | undefined } = {},
): boolean {
  const require = createRoleRequirement({ any: [role], claims });
  try {
    require(undefined as unknown as CheckContext, token as VerifiedToken);
    return true;
  } catch (error) {
    if (error instanceof Denial) return false;
    throw error;
  }
}

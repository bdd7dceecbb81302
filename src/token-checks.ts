/** Checks of a verified token for users of the library, with the rules of policies. */
import { createRoleRequirement } from './authz/policy/roles.js';
import { Denial } from './authz/denial.js';
import type { CheckContext, VerifiedToken } from './authz/types.js';
import type { JsonObject } from './ports.js';

/** Whatever has scopes: `req.auth`, or the result of `validateToken`. */
export interface HasScopes {
  readonly scopes: readonly string[] | ReadonlySet<string>;
}

/** Whatever has claims: `req.auth`, or the result of `validateToken`. */
export interface HasClaims {
  readonly claims: JsonObject;
}

/** How scopes are compared. */
export interface ScopeMode {
  /** `all` of them, which is the default, or `any`. */
  readonly mode?: 'all' | 'any' | undefined;
}

/** Where roles are looked for. */
export interface RoleClaims {
  /** As `roles.claims` of a policy. Default: `roles`, then `role`. */
  readonly claims?: readonly string[] | undefined;
}

/** A token lacks what is required. Holds nothing of the token. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
  readonly status = 403;

  /**
   * @param code of the denial catalogue
   * @param required what would be sufficient, from the caller's own code
   */
  constructor(
    readonly code: 'insufficient_scope' | 'insufficient_role',
    readonly required: readonly string[],
  ) {
    super(code === 'insufficient_scope' ? 'the token lacks a scope' : 'the token lacks a role');
  }
}

/**
 * Reports whether a token has scopes. Without any scope to look for, `all` is true and `any` is false.
 *
 * @param token verified; undefined, as where a credential is optional, has none
 */
export function hasScopes(
  token: HasScopes | undefined,
  scopes: readonly string[],
  { mode = 'all' }: ScopeMode = {},
): boolean {
  if (token === undefined) return false;
  const own = new Set(token.scopes);
  const has = (scope: string): boolean => own.has(scope);
  return mode === 'all' ? scopes.every(has) : scopes.some(has);
}

/** Requires scopes. @throws ForbiddenError insufficient_scope */
export function requireScopes(
  token: HasScopes | undefined,
  scopes: readonly string[],
  options: ScopeMode = {},
): void {
  if (!hasScopes(token, scopes, options)) throw new ForbiddenError('insufficient_scope', [...scopes]);
}

/**
 * Reports whether a token has a role.
 *
 * @param token verified; undefined has none
 */
export function hasRole(token: HasClaims | undefined, role: string, { claims }: RoleClaims = {}): boolean {
  if (token === undefined) return false;
  const require = createRoleRequirement({ any: [role], claims });
  try {
    require(undefined as unknown as CheckContext, token as VerifiedToken);
    return true;
  } catch (error) {
    if (error instanceof Denial) return false;
    throw error;
  }
}

/** Requires a role. @throws ForbiddenError insufficient_role */
export function requireRole(token: HasClaims | undefined, role: string, options: RoleClaims = {}): void {
  if (!hasRole(token, role, options)) throw new ForbiddenError('insufficient_role', [role]);
}

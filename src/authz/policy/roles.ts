/** The roles that a policy asks for. Issuers agree on no claim for them, so their names are configured. */
import { Denial } from '../denial.js';
import type { Requirement } from '../types.js';
import { compileClaimPath } from './claim-path.js';

/** One of these, and all of those, in any of the claims. */
export interface RoleSpec {
  readonly any?: readonly string[] | undefined;
  readonly all?: readonly string[] | undefined;
  /** Default: `roles`, then `role`. A dotted name walks objects. The roles of all of them count. */
  readonly claims?: readonly string[] | undefined;
}

const DEFAULT_CLAIMS = ['roles', 'role'];

/**
 * Compiles a role requirement. A role claim is a list of strings (a role is then a member, spaces and commas
 * included), or one string of roles parted by spaces or commas. Anything else holds no role.
 *
 * @throws Denial insufficient_role (from the requirement it makes)
 */
export function createRoleRequirement({ any, all, claims = DEFAULT_CLAIMS }: RoleSpec): Requirement {
  if (any === undefined && all === undefined) throw new Error('roles need all or any');
  const readers = claims.map(compileClaimPath);
  const denial = new Denial('insufficient_role');
  return (_ctx, token) => {
    const has = (role: string): boolean => readers.some((read) => holdsRole(read(token.claims), role));
    if (all !== undefined && !all.every(has)) throw denial;
    if (any !== undefined && !any.some(has)) throw denial;
  };
}

function holdsRole(value: unknown, role: string): boolean {
  if (Array.isArray(value)) return value.includes(role);
  if (typeof value !== 'string') return false;
  return value === role || (value.includes(role) && value.split(/[\s,]+/).includes(role));
}

/** The roles that a policy requires. Issuers use different claims for them, so the names are configured. */
import { Denial } from '../denial.js';
import type { Requirement, VerifiedToken } from '../types.js';
import { compileClaimPath, type ClaimReader } from './claim-path.js';

/** At least one of `any`, and every one of `all`, in any of the claims. */
export interface RoleSpec {
  readonly any?: readonly string[] | undefined;
  readonly all?: readonly string[] | undefined;
  /** Default: `roles`, then `role`. A dotted name walks objects. The roles of all of them count. */
  readonly claims?: readonly string[] | undefined;
}

const DEFAULT_CLAIMS = ['roles', 'role'];

/** Holds one role by its name, so its text is never split: `not admin` is not the role `admin`. */
const SINGLE_ROLE_CLAIM = 'role';

/**
 * Compiles a role requirement. A role claim is a list of strings (a role is then a member, spaces and commas
 * included), or one string of roles separated by spaces or commas; the string of a claim `role` is one role. Anything
 * else holds no role.
 *
 * @throws Denial insufficient_role (from the requirement it makes)
 */
export function createRoleRequirement({ any, all, claims = DEFAULT_CLAIMS }: RoleSpec): Requirement {
  if (any === undefined && all === undefined) throw new Error('roles need all or any');
  const paths = claims.map(compileClaimPath);
  const readers = claims.map((name, index) => {
    const read = paths[index] as ClaimReader;
    const holds = lastSegmentOf(name) === SINGLE_ROLE_CLAIM ? isRole : holdsRole;
    return (token: VerifiedToken, role: string) => holds(read(token.claims), role);
  });
  const deny = (requirement: string, expected: readonly string[], token: VerifiedToken): Denial => {
    const found = paths.flatMap((read) => read(token.claims) ?? []);
    return new Denial('insufficient_role', { mismatch: { requirement, expected, found } });
  };
  return (_ctx, token) => {
    const has = (role: string): boolean => readers.some((holds) => holds(token, role));
    if (all !== undefined && !all.every(has)) throw deny('roles.all', all, token);
    if (any !== undefined && !any.some(has)) throw deny('roles.any', any, token);
  };
}

function lastSegmentOf(name: string): string {
  return name.slice(name.search(/[^./]*$/));
}

function isRole(value: unknown, role: string): boolean {
  return value === role || (Array.isArray(value) && value.includes(role));
}

function holdsRole(value: unknown, role: string): boolean {
  if (isRole(value, role)) return true;
  return typeof value === 'string' && value.includes(role) && value.split(/[\s,]+/).includes(role);
}

/** The scopes that a policy requires. */
import { Denial } from '../denial.js';
import type { Requirement } from '../types.js';

/** Every one of `all`, and at least one of `any`. */
export interface ScopeSpec {
  readonly all?: readonly string[] | undefined;
  readonly any?: readonly string[] | undefined;
}

/**
 * The scopes that would be sufficient, as a challenge names them: all of `all`, and the first of `any`.
 *
 * @see RFC 6750 section 3
 */
export function challengeScopeOf({ all = [], any = [] }: ScopeSpec): string {
  return [...new Set([...all, ...any.slice(0, 1)])].join(' ');
}

/**
 * Compiles a scope requirement. Scopes are compared byte for byte (RFC 6749 3.3).
 *
 * @throws Denial insufficient_scope, with the sufficient scopes (from the requirement it makes)
 */
export function createScopeRequirement(spec: ScopeSpec): Requirement {
  const { all = [], any } = spec;
  if (spec.all === undefined && any === undefined) throw new Error('scopes need all or any');
  const scope = challengeScopeOf(spec);
  const deny = (requirement: string, expected: readonly string[], found: ReadonlySet<string>): Denial =>
    new Denial('insufficient_scope', { scope, mismatch: { requirement, expected, found } });
  return (_ctx, { scopes }) => {
    for (const one of all) if (!scopes.has(one)) throw deny('scopes.all', all, scopes);
    if (any !== undefined && !any.some((one) => scopes.has(one))) throw deny('scopes.any', any, scopes);
  };
}

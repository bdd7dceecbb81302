/** What the code behind the gate asks for beyond the policy that judges: the scopes of one handler, for example. */
import { Denial } from '../denial.js';
import type { Demands, Policy, Requirement } from '../types.js';
import { createRoleRequirement, type RoleSpec } from './roles.js';
import { challengeScopeOf, createScopeRequirement, type ScopeSpec } from './scopes.js';
import { createStepUpRequirement, type StepUpSpec } from './step-up.js';

/** Demands in plain values. They add to a policy; only `optional` asks for less. */
export interface DemandSpec {
  /** true: a request without a credential is allowed. A credential that is there must be good, and meet the demands. */
  readonly optional?: boolean | undefined;
  readonly scopes?: ScopeSpec | undefined;
  readonly roles?: RoleSpec | undefined;
  readonly senderConstraint?: Policy['senderConstraint'];
  readonly stepUp?: StepUpSpec | undefined;
  /** The body of a denial; undefined: as the policy says. */
  readonly errors?: Policy['errors'] | undefined;
}

/**
 * Compiles demands. The policies that they make are kept per policy, so there are no more than policies and demands.
 *
 * @param options.isSpent the proof of the request was used up by an earlier decision on this very request
 */
export function createDemands(
  spec: DemandSpec,
  { isSpent = false }: { readonly isSpent?: boolean } = {},
): Demands {
  const requirements = requirementsOf(spec);
  const byPolicy = new WeakMap<Policy, Policy>();
  const on = (policy: Policy): Policy => {
    const present = byPolicy.get(policy);
    if (present !== undefined) return present;
    const extended: Policy = Object.freeze({
      ...policy,
      access: accessOf(policy.access, spec, requirements.length > 0),
      challengeScope: joinScopes(policy.challengeScope, challengeScopeOf(spec.scopes ?? {})),
      requirements: Object.freeze([...requirements, ...policy.requirements]),
      consumeProof: policy.consumeProof && !isSpent,
      errors: spec.errors ?? policy.errors,
      shadow: policy.shadow === undefined ? undefined : on(policy.shadow),
    });
    byPolicy.set(policy, extended);
    return extended;
  };
  return { on };
}

/** In the order of a policy's own. Those of the policy follow, so that its step-up still comes late. */
function requirementsOf({ scopes, roles, senderConstraint, stepUp }: DemandSpec): Requirement[] {
  const requirements: Requirement[] = [];
  if (senderConstraint !== undefined) requirements.push(createBindingRequirement(senderConstraint));
  if (scopes !== undefined) requirements.push(createScopeRequirement(scopes));
  if (roles !== undefined) requirements.push(createRoleRequirement(roles));
  if (stepUp !== undefined) requirements.push(createStepUpRequirement(stepUp));
  return requirements;
}

/** A token that is bound was held to its proof or certificate by the time that requirements are read. */
function createBindingRequirement(wanted: NonNullable<Policy['senderConstraint']>): Requirement {
  return (_ctx, { confirmation }) => {
    const byDpop = confirmation?.jkt !== undefined;
    const byMtls = confirmation?.x5tS256 !== undefined;
    if (!{ dpop: byDpop, mtls: byMtls, any: byDpop || byMtls }[wanted])
      throw new Denial('sender_constraint_required');
  };
}

/** An anonymous policy with a demand looks at credentials, or the demand would count for nothing. */
function accessOf(access: Policy['access'], { optional }: DemandSpec, hasDemands: boolean): Policy['access'] {
  if (optional !== undefined) return optional ? 'optional' : 'required';
  return access === 'anonymous' && hasDemands ? 'required' : access;
}

function joinScopes(...scopes: readonly string[]): string {
  return [...new Set(scopes.flatMap((text) => text.split(' ')).filter((scope) => scope !== ''))].join(' ');
}

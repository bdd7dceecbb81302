/** Policies of the configuration → compiled policies. */
import { Denial } from '../denial.js';
import type { Policy, Requirement } from '../types.js';
import { createClaimRequirement, type ClaimSpec } from './claims.js';
import { ConditionError } from './condition-error.js';
import { createRoleRequirement, type RoleSpec } from './roles.js';
import { challengeScopeOf, createScopeRequirement, type ScopeSpec } from './scopes.js';
import { createStepUpRequirement, type StepUpSpec } from './step-up.js';

/** A policy as it is configured, durations in milliseconds. Shapes are checked before; meanings are checked here. */
export interface PolicySpec {
  readonly access?: Policy['access'] | undefined;
  readonly issuers?: readonly string[] | undefined;
  readonly scopes?: ScopeSpec | undefined;
  readonly roles?: RoleSpec | undefined;
  readonly claims?: ClaimSpec | undefined;
  /** CEL. */
  readonly when?: string | undefined;
  readonly senderConstraint?: Policy['senderConstraint'];
  readonly stepUp?: StepUpSpec | undefined;
  readonly corsPreflight?: 'allow' | 'deny' | undefined;
  readonly cors?: { readonly origins: readonly string[] } | undefined;
  readonly errors?: Policy['errors'] | undefined;
  readonly consume?: boolean | undefined;
  /** Name of another policy. */
  readonly shadow?: string | undefined;
}

/** A problem in a policy. `path` begins with the policy's name. */
export interface PolicyProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** A compiled `when`. */
export interface CompiledCondition {
  readonly requirement: Requirement;
  /** Request headers that it reads, in lower case. */
  readonly headers: readonly string[];
}

/** Compiles a `when`: `compileCondition`, which is loaded only where a policy has one. @throws ConditionError */
export type CompileCondition = (source: string) => CompiledCondition;

/** Policies that cannot be used, with every problem. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';

  constructor(readonly problems: readonly PolicyProblem[]) {
    super(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  }
}

/**
 * Compiles all policies. `default` is there unless it is redefined. A shadow is compiled without a shadow of its own:
 * it is evaluated once, beside the live policy.
 *
 * @param specs by name, from the configuration
 * @param compileCondition undefined where no policy has a condition
 * @throws PolicyError with every `when` that does not compile and every `shadow` that is unknown
 */
export function compilePolicies(
  specs: Readonly<Record<string, PolicySpec>>,
  compileCondition: CompileCondition | undefined,
): ReadonlyMap<string, Policy> {
  const problems: PolicyProblem[] = [];
  const compiling = { problems, compileCondition };
  const all = Object.hasOwn(specs, 'default') ? specs : { default: {}, ...specs };
  const plain = new Map(
    Object.entries(all).map(([name, spec]) => [name, compilePolicy(name, spec, compiling)]),
  );
  const policies = new Map<string, Policy>();
  for (const [name, policy] of plain) {
    policies.set(name, withShadow(policy, { wanted: all[name]?.shadow, plain, problems }));
  }
  if (problems.length > 0) throw new PolicyError(problems);
  return policies;
}

function withShadow(
  policy: Policy,
  from: { wanted: string | undefined; plain: ReadonlyMap<string, Policy>; problems: PolicyProblem[] },
): Policy {
  if (from.wanted === undefined) return policy;
  const shadow = from.plain.get(from.wanted);
  const path = [policy.name, 'shadow'];
  if (shadow === undefined) from.problems.push({ path, message: 'names a policy that does not exist' });
  else if (shadow === policy) from.problems.push({ path, message: 'must name another policy' });
  return Object.freeze({ ...policy, shadow });
}

interface Compiling {
  readonly problems: PolicyProblem[];
  readonly compileCondition: CompileCondition | undefined;
}

function compilePolicy(name: string, spec: PolicySpec, compiling: Compiling): Policy {
  const condition =
    spec.when === undefined ? undefined : conditionOf(spec.when, { path: [name, 'when'], ...compiling });
  return Object.freeze({
    name,
    access: spec.access ?? 'required',
    issuers: spec.issuers === undefined ? undefined : new Set(spec.issuers),
    challengeScope: challengeScopeOf(spec.scopes ?? {}),
    requirements: Object.freeze(requirementsOf(spec, condition)),
    conditionHeaders: condition?.headers ?? [],
    senderConstraint: spec.senderConstraint,
    consumeProof: spec.consume ?? true,
    corsPreflight: spec.corsPreflight === 'allow',
    corsOrigins: new Set(spec.cors?.origins ?? []),
    errors: spec.errors ?? 'oauth',
    shadow: undefined,
  });
}

/** Step-up comes last, so that a user who lacks a permission does not have to log in again to find out. */
function requirementsOf(spec: PolicySpec, condition: CompiledCondition | undefined): Requirement[] {
  const requirements: Requirement[] = [];
  if (spec.scopes !== undefined) requirements.push(createScopeRequirement(spec.scopes));
  if (spec.roles !== undefined) requirements.push(createRoleRequirement(spec.roles));
  if (spec.claims !== undefined) requirements.push(createClaimRequirement(spec.claims));
  if (condition !== undefined) requirements.push(condition.requirement);
  if (spec.stepUp !== undefined) requirements.push(createStepUpRequirement(spec.stepUp));
  return requirements;
}

const CONDITION_FAILED = new Denial('condition_failed');

/** Replaces a condition that did not compile. It is never used; if it were, it would refuse. */
const DENY_ALL: CompiledCondition = {
  requirement: () => {
    throw CONDITION_FAILED;
  },
  headers: [],
};

function conditionOf(
  source: string,
  { path, problems, compileCondition }: Compiling & { path: readonly string[] },
): CompiledCondition {
  if (compileCondition === undefined) throw new Error('a condition needs its compiler');
  try {
    return compileCondition(source);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    problems.push({ path, message: error.message });
    return DENY_ALL;
  }
}

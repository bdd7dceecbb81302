import type { PolicyConfig } from './config.js';

/** What a policy can ask of a token. */
const REQUIREMENTS = ['issuers', 'scopes', 'roles', 'claims', 'when', 'senderConstraint', 'stepUp'] as const;

/** The members of a policy that say what it asks for. */
export type PolicyDemands = Partial<Pick<PolicyConfig, 'access' | (typeof REQUIREMENTS)[number]>>;

const RANK = { anonymous: 0, optional: 1, required: 2 } as const;

/** The condition of a policy that refuses every token. */
const REFUSES_ALL = 'false';

/**
 * Reports whether a policy may allow what another one refuses: it lets in with less, or it lacks a requirement of the
 * other, or has it in another form. It compares what is written and does not reason about it, so two policies may each
 * ask for less than the other.
 */
export function asksForLess(policy: PolicyDemands, than: PolicyDemands): boolean {
  const [own, other] = [RANK[policy.access ?? 'required'], RANK[than.access ?? 'required']];
  if (own !== other) return own < other;
  if (policy.when?.trim() === REFUSES_ALL) return false;
  return requirementsOf(than).some((name) => JSON.stringify(policy[name]) !== JSON.stringify(than[name]));
}

/** @returns the names of the requirements that a policy has */
export function requirementsOf(policy: PolicyDemands): (typeof REQUIREMENTS)[number][] {
  return REQUIREMENTS.filter((name) => policy[name] !== undefined);
}

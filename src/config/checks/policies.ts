import { DEFAULT_POLICY } from '../schema/policies.js';
import { asTree, type ConfigValue } from '../config-value.js';
import { suggest } from '../suggestion.js';
import { conditionProblem } from './condition.js';
import { type CheckContext, isQuotable, refuse } from './context.js';

/** What an anonymous policy would silently not enforce. */
const REQUIREMENTS = ['issuers', 'scopes', 'roles', 'claims', 'when', 'senderConstraint', 'stepUp'] as const;

/** Policies, and every place that names one. */
export function checkPolicies(ctx: CheckContext): void {
  const { root } = ctx;
  const known = new Set([DEFAULT_POLICY, ...root.get('policies').keys()]);
  const issuers = new Set(
    root
      .get('issuers')
      .items()
      .map((issuer) => issuer.get('issuer').text),
  );
  // Our own tokens are those of an issuer, too.
  issuers.add(root.get('tokens').get('issuer').text);
  for (const policy of root.get('policies').items()) {
    checkPolicy(ctx, policy);
    checkIssuers(ctx, policy, issuers);
    checkReference(ctx, policy.get('shadow'), known);
  }
  for (const authority of root.get('server').get('authorities').items())
    checkReference(ctx, authority, known);
  if (isEmptyList(root.get('routes').value))
    refuse(
      ctx,
      root.get('routes'),
      'must have at least one route; leave the key out where policy default is to judge every request',
    );
  for (const route of root.get('routes').items()) checkReference(ctx, route.get('policy'), known);
  checkShadowCycles(ctx);
}

function checkPolicy(ctx: CheckContext, policy: ConfigValue): void {
  checkCondition(ctx, policy.get('when'));
  for (const name of ['scopes', 'roles']) checkAllOrAny(ctx, policy.get(name));
  const stepUp = policy.get('stepUp');
  if (stepUp.exists && stepUp.keys().length === 0) refuse(ctx, stepUp, 'must have acr, maxAge or both');
  const claims = policy.get('claims');
  if (asTree(claims.value) !== undefined && claims.keys().length === 0)
    refuse(ctx, claims, 'must have at least one claim; an empty mapping requires nothing');
  if (policy.get('access').text !== 'anonymous') return;
  for (const name of REQUIREMENTS) {
    if (policy.get(name).exists)
      refuse(
        ctx,
        policy.get(name),
        'has no effect with access: anonymous, which looks at no credential; use optional or required',
      );
  }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Roles have `claims` beside them, which alone require nothing. */
function checkAllOrAny(ctx: CheckContext, node: ConfigValue): void {
  if (node.exists && !node.get('all').exists && !node.get('any').exists)
    refuse(ctx, node, 'must have all, any or both');
}

function checkIssuers(ctx: CheckContext, policy: ConfigValue, known: ReadonlySet<string | undefined>): void {
  for (const issuer of policy.get('issuers').items()) {
    if (issuer.text !== undefined && !known.has(issuer.text))
      refuse(ctx, issuer, 'must be, byte for byte, an issuer of the issuers section');
  }
}

function checkCondition(ctx: CheckContext, when: ConfigValue): void {
  if (when.text === undefined || when.text === '') return;
  const problem = conditionProblem(when.text);
  if (problem === undefined) return;
  refuse(
    ctx,
    when,
    isQuotable(ctx, when)
      ? `must be a CEL expression that compiles: ${problem}`
      : 'must be a CEL expression that compiles',
  );
}

function checkReference(ctx: CheckContext, node: ConfigValue, known: ReadonlySet<string>): void {
  const name = node.text;
  if (name === undefined || name === '' || known.has(name)) return;
  const near = isQuotable(ctx, node) ? suggest(name, [...known]) : undefined;
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  refuse(ctx, node, `must be the name of a policy: ${abridged([...known])}${hint}`);
}

function abridged(names: readonly string[]): string {
  return names.length <= 12
    ? names.join(', ')
    : `${names.slice(0, 12).join(', ')} and ${names.length - 12} more`;
}

function checkShadowCycles(ctx: CheckContext): void {
  const policies = ctx.root.get('policies');
  for (const name of policies.keys()) {
    if (leadsBack(name, policies))
      refuse(ctx, policies.get(name).get('shadow'), 'must not lead back to this policy');
  }
}

function leadsBack(start: string, policies: ConfigValue): boolean {
  const seen = new Set<string>();
  for (
    let name = policies.get(start).get('shadow').text;
    name !== undefined;
    name = policies.get(name).get('shadow').text
  ) {
    if (name === start) return true;
    if (seen.has(name)) return false;
    seen.add(name);
  }
  return false;
}

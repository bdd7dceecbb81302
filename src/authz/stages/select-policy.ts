/**
 * Which policy judges this request. The proxy's choice comes first: context extensions of the route, then metadata
 * of the call, then its authority; routes come last. A name that is not configured is never an allow.
 */
import { Denial } from '../denial.js';
import { authorityKey } from '../host.js';
import { assertTrueTarget } from '../path.js';
import type { LooseCheck } from '../loose-routes.js';
import type { Router } from '../routes.js';
import type { AuthzRequest, CheckContext, Policy, RouteMatch, Stage } from '../types.js';

/** What policies can be chosen from. */
export interface SelectPolicyOptions {
  /** By name; holds `default`. */
  readonly policies: ReadonlyMap<string, Policy>;
  /** gRPC authority → name of a policy. A port in it must match; without one any port does. */
  readonly authorities: Readonly<Record<string, string>>;
  /** undefined: no routes are configured, so `default` applies where the proxy chose nothing. */
  readonly router: Router | undefined;
  /** Called for the first request with loose routing. undefined: no routes are configured. */
  readonly createLooseCheck?: (() => LooseCheck) | undefined;
}

/** The key under which the proxy's route names a policy. */
const POLICY_EXTENSION = 'portcullis.policy';

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(
  Object.create(null) as Record<string, string>,
);

/**
 * Does not judge the path unless a route is looked for.
 *
 * @throws Denial unknown_policy, ambiguous_path, invalid_host, no_route
 */
export function createSelectPolicyStage(options: SelectPolicyOptions): Stage {
  const byExtension = matchesOf(options.policies, 'extension');
  const byMetadata = matchesOf(options.policies, 'metadata');
  const byAuthority = authorityMatches(options);
  const byDefault = matchesOf(options.policies, 'default').get('default');
  let looseCheck: LooseCheck | undefined;
  const assertAlike = (request: AuthzRequest, match: RouteMatch): void => {
    looseCheck ??= options.createLooseCheck?.();
    looseCheck?.(request, match);
  };
  const choose = (ctx: CheckContext): RouteMatch | undefined => {
    const { request } = ctx;
    const extension = request.contextExtensions.get(POLICY_EXTENSION);
    if (extension !== undefined) return byExtension.get(extension);
    if (request.callPolicy !== undefined) return byMetadata.get(request.callPolicy);
    const authority = byAuthority.size === 0 ? undefined : findAuthority(byAuthority, request.callAuthority);
    if (authority !== undefined) return authority.match;
    if (options.router === undefined) return byDefault;
    assertTrueTarget(request);
    const match = options.router.match(request);
    if (request.hasLooseRouting === true) assertAlike(request, match);
    return match;
  };
  return {
    name: 'select-policy',
    run(ctx) {
      const match = choose(ctx);
      if (match === undefined) throw unknownPolicy(ctx);
      const { demands } = ctx.request;
      ctx.match = demands === undefined ? match : { ...match, policy: demands.on(match.policy) };
      return undefined;
    },
  };
}

/** The name comes from the operator, and the log must show it. */
function unknownPolicy({ request }: CheckContext): Denial {
  const extension = request.contextExtensions.get(POLICY_EXTENSION);
  const { callPolicy, callAuthority } = request;
  const [requirement, found] =
    extension !== undefined
      ? ['context extension portcullis.policy', extension]
      : callPolicy !== undefined
        ? ['metadata portcullis-policy', callPolicy]
        : ['server.authorities', callAuthority];
  return new Denial('unknown_policy', { mismatch: { requirement, found } });
}

function matchesOf(
  policies: ReadonlyMap<string, Policy>,
  source: RouteMatch['source'],
): ReadonlyMap<string, RouteMatch> {
  const matches = new Map<string, RouteMatch>();
  for (const [name, policy] of policies) {
    matches.set(name, Object.freeze({ policy, source, params: NO_PARAMS }));
  }
  return matches;
}

/** An authority that is configured, with no match where its policy is unknown. */
interface AuthorityMatch {
  readonly match: RouteMatch | undefined;
}

function authorityMatches({ policies, authorities }: SelectPolicyOptions): Map<string, AuthorityMatch> {
  const matches = matchesOf(policies, 'authority');
  const byAuthority = new Map<string, AuthorityMatch>();
  for (const [authority, name] of Object.entries(authorities)) {
    byAuthority.set(authorityKey(authority, { withPort: true }), { match: matches.get(name) });
  }
  return byAuthority;
}

function findAuthority(
  byAuthority: ReadonlyMap<string, AuthorityMatch>,
  authority: string | undefined,
): AuthorityMatch | undefined {
  if (authority === undefined) return undefined;
  return (
    byAuthority.get(authorityKey(authority, { withPort: true })) ??
    byAuthority.get(authorityKey(authority, { withPort: false }))
  );
}

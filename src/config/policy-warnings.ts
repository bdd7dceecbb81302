import { unreachableRoutes } from '../authz/unreachable-routes.js';
import type { Config } from './config.js';
import { lenientSpellings } from './lenient-spellings.js';
import { asksForLess, requirementsOf } from './policy-strictness.js';
import type { ConfigPath } from './problems.js';
import { DEFAULT_POLICY } from './schema/policies.js';

/** Takes a warning: the place in the configuration, and what it opens. */
export type Warn = (path: ConfigPath, text: string) => void;

/** Routes that are named in the one warning. */
const MAX_SPELLINGS = 5;

/** Warns of policies and routes that let in more than it seems. */
export function warnOfPolicies(config: Config, warn: Warn): void {
  warnOfUnreachable(config, warn);
  warnOfSpellings(config, warn);
  warnOfDefault(config, warn);
  for (const [name, policy] of Object.entries(config.policies)) {
    const requirements = requirementsOf(policy);
    if (policy.access === 'optional' && requirements.length > 0)
      warn(
        ['policies', name],
        `access optional lets a request without a token pass; ${requirements.join(', ')} apply only to requests that bring one`,
      );
  }
}

function warnOfUnreachable({ routes }: Config, warn: Warn): void {
  for (const { index, shadowedBy } of unreachableRoutes(routes)) {
    const earlier = shadowedBy.slice(0, 5).map((other) => `routes[${other}]`);
    warn(
      ['routes', index],
      `can never match: ${earlier.join(', ')} before it take${earlier.length === 1 ? 's' : ''} all its requests`,
    );
  }
}

function warnOfSpellings({ routes, policies }: Config, warn: Warn): void {
  const found = lenientSpellings(routes, policies);
  if (found.length === 0) return;
  const shown = found
    .slice(0, MAX_SPELLINGS)
    .map(
      ({ index, path, judgedBy }) =>
        `${path} (routes[${index}] → routes[${judgedBy}], policy ${routes[judgedBy]?.policy ?? ''})`,
    );
  const more = found.length > MAX_SPELLINGS ? ` and ${found.length - MAX_SPELLINGS} more` : '';
  warn(
    ['routes'],
    `paths compare with their case and final slash, so a later route that asks for less judges ${shown.join(', ')}${more}; the upstream must take these for other paths, too`,
  );
}

/** Without routes, `default` judges whatever Envoy did not choose a policy for. */
function warnOfDefault({ routes, policies, server }: Config, warn: Warn): void {
  const fallback = policies[DEFAULT_POLICY];
  if (routes.length > 0 || fallback === undefined) return;
  if (fallback.access === 'anonymous')
    warn(
      ['policies', DEFAULT_POLICY],
      'lets every request pass without a token, since there are no routes; add routes, or name another policy',
    );
  const stricter = Object.values(server.authorities).find((name) => {
    const policy = policies[name];
    return policy !== undefined && asksForLess(fallback, policy);
  });
  if (stricter !== undefined)
    warn(
      ['server', 'authorities'],
      `a Check with any other :authority is judged by policy default, which asks for less than policy ${stricter}; to refuse it, define default as { when: 'false' }`,
    );
}

/**
 * Servers that take more paths for one than the gate does: they ignore case and a final slash, and compare paths without
 * decoding them. Where such a server follows, a path whose other readings would be judged by another policy is refused.
 */
import { Denial } from './denial.js';
import { createRouter, type Router, type RouteSpec } from './routes.js';
import type { AuthzRequest, RouteMatch } from './types.js';

/** @throws Denial ambiguous_path */
export type LooseCheck = (request: AuthzRequest, match: RouteMatch) => void;

const AMBIGUOUS = new Denial('ambiguous_path');
/** A letter, a digit, `-`, `_` or `~` that is percent-encoded: no client has to, and not every server decodes it. */
const ENCODED_UNRESERVED = /%(?=2[Dd]|3\d|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])/g;

/**
 * Creates the check. It never makes a match of what the routes do not match, so it can only refuse.
 *
 * @param routes of the configuration, in order
 */
export function createLooseCheck(routes: readonly RouteSpec[]): LooseCheck {
  const router = createRouter(
    routes.map((route) =>
      route.paths === undefined ? route : { ...route, paths: route.paths.map(loosenPattern) },
    ),
  );
  return (request, match) => {
    const { path } = request;
    const asWritten = path.includes('%') ? path.replace(ENCODED_UNRESERVED, '%25') : path;
    for (const reading of new Set([path, asWritten]))
      if (policyOf(router, request, reading) !== match.policy) throw AMBIGUOUS;
  };
}

function policyOf(router: Router, request: AuthzRequest, path: string): unknown {
  try {
    return router.match({ ...request, path: loosen(path) }).policy;
  } catch (error) {
    if (error instanceof Denial) throw AMBIGUOUS;
    throw error;
  }
}

/** Names take no part, and two of them may differ in case alone. */
function loosenPattern(pattern: string): string {
  return loosen(pattern.replace(/\{[^{}]*\}/g, '*'));
}

/** Lower case, without a final slash. The slash of `/` alone stays. */
function loosen(path: string): string {
  const lower = path.toLowerCase();
  return lower.length > 1 && lower.endsWith('/') ? lower.slice(0, -1) : lower;
}

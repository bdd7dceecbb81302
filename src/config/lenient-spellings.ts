import type { PathPattern } from '../authz/path-pattern.js';
import type { TrieEntry } from '../authz/route-trie.js';
import { ANY_HOST, HostTable, hostsOf, methodsOf, patternsOf, type RoutePattern } from '../authz/routes.js';
import { asksForLess, type PolicyDemands } from './policy-strictness.js';

/** A spelling of a route's path that a later route judges by less. */
export interface LenientSpelling {
  /** Position of the route that the path seems to belong to. */
  readonly index: number;
  readonly path: string;
  /** Position of the route that judges it. */
  readonly judgedBy: number;
}

type Route = RoutePattern & { readonly policy: string };

/**
 * Finds routes of which another spelling of the path (another case, a final slash) falls to a later route whose policy
 * asks for less. Whether that matters depends on the upstream: many frameworks take `/Admin` and `/admin/` for
 * `/admin`. One example per route; it reports mistakes and proves nothing.
 *
 * @param routes with patterns that parse
 * @param policies by name; those that routes name are there
 */
export function lenientSpellings(
  routes: readonly Route[],
  policies: Readonly<Record<string, PolicyDemands>>,
): LenientSpelling[] {
  const table = new HostTable<TrieEntry>();
  routes.forEach((route, index) => {
    for (const pattern of patternsOf(route))
      for (const host of hostsOf(route)) table.trieOf(host).add(pattern, { index }, methodsOf(route));
  });
  const isLaxer = (index: number, than: Route): boolean =>
    asksForLess(policies[routes[index]?.policy ?? ''] ?? {}, policies[than.policy] ?? {});
  return routes.flatMap((route, index) => {
    for (const { host, path, method } of probesOf(route)) {
      const judgedBy = table.find(host, path, method)?.index;
      if (judgedBy !== undefined && judgedBy > index && isLaxer(judgedBy, route))
        return [{ index, path, judgedBy }];
    }
    return [];
  });
}

/** Requests that look as if they were the route's. */
function* probesOf(route: Route): Generator<{ host: string; path: string; method: string }> {
  for (const pattern of patternsOf(route))
    for (const path of spellingsOf(pattern))
      for (const host of hostsOf(route).map(sampleHost))
        for (const method of methodsOf(route) ?? ['GET', 'POST']) yield { host, path, method };
}

function sampleHost(key: string): string {
  if (key === ANY_HOST) return 'host.invalid';
  return key.startsWith('.') ? `x${key}` : key;
}

function spellingsOf({ segments, rest }: PathPattern): string[] {
  const texts = segments.map((segment) => (segment.kind === 'literal' ? segment.text : 'x'));
  const at = segments.findIndex((segment) => segment.kind === 'literal' && /[a-z]/i.test(segment.text));
  const otherCase = texts.map((text, index) => (index === at ? inOtherCase(text) : text));
  return [
    ...(at < 0 ? [] : [`/${otherCase.join('/')}`]),
    ...(rest || texts.length === 0 || texts.at(-1) === '' ? [] : [`/${texts.join('/')}/`]),
  ];
}

/** `admin` → `Admin`, `Admin` → `ADMIN`, `ADMIN` → `admin`. */
function inOtherCase(text: string): string {
  const capitalized = text.replace(/[a-z]/i, (letter) => letter.toUpperCase());
  if (capitalized !== text) return capitalized;
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}

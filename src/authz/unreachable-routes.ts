/** Routes that can never match, because earlier ones match everything they match: a mistake worth a warning. */
import type { PathPattern } from './path-pattern.js';
import type { TrieEntry } from './route-trie.js';
import {
  ANY_HOST,
  HostTable,
  hostsOf,
  methodsOf,
  patternsOf,
  suffixesOf,
  type RoutePattern,
} from './routes.js';

/** A route that can never match. Both are positions in the list, from 0. */
export interface UnreachableRoute {
  readonly index: number;
  /** The earlier routes that match everything it matches, in order. */
  readonly shadowedBy: readonly number[];
}

/**
 * Finds routes of which every combination of host, path and method is matched by one earlier route. Several
 * earlier routes that cover one pattern only together are not found: it warns of mistakes and proves nothing.
 *
 * @param routes from the configuration, with patterns that parse
 */
export function unreachableRoutes(routes: readonly RoutePattern[]): UnreachableRoute[] {
  const table = new HostTable<TrieEntry>();
  const found: UnreachableRoute[] = [];
  routes.forEach((route, index) => {
    const covering = coveringRoutes(table, route);
    if (covering !== undefined) found.push({ index, shadowedBy: [...covering].sort((a, b) => a - b) });
    add(table, route, index);
  });
  return found;
}

function add(table: HostTable<TrieEntry>, route: RoutePattern, index: number): void {
  const methods = methodsOf(route);
  for (const pattern of patternsOf(route)) {
    for (const host of hostsOf(route)) table.trieOf(host).add(pattern, { index }, methods);
  }
}

/** @returns the routes that match everything this one matches; undefined where something is left */
function coveringRoutes(table: HostTable<TrieEntry>, route: RoutePattern): Set<number> | undefined {
  const covering = new Set<number>();
  const methods = [...(methodsOf(route) ?? [undefined])];
  for (const host of hostsOf(route)) {
    for (const pattern of patternsOf(route)) {
      for (const method of methods) {
        const cover = findCover(table, host, { pattern, method });
        if (cover === undefined) return undefined;
        covering.add(cover.index);
      }
    }
  }
  return covering.size === 0 ? undefined : covering;
}

function findCover(
  table: HostTable<TrieEntry>,
  host: string,
  { pattern, method }: { pattern: PathPattern; method: string | undefined },
): TrieEntry | undefined {
  const keys = host === ANY_HOST ? [ANY_HOST] : [host, ...suffixesOf(host, host.length), ANY_HOST];
  for (const key of keys) {
    const cover = table.get(key)?.findCover(pattern, method);
    if (cover !== undefined) return cover;
  }
  return undefined;
}

/** Routes: host, path and method → policy. The first match wins; without a match the request is denied. */
import { Denial } from './denial.js';
import { normalizeHost, parseHostPattern } from './host.js';
import { ANY_PATH, parsePathPattern, type PathPattern } from './path-pattern.js';
import { judgedMethodOf } from './method.js';
import { assertUnambiguousPath, normalPathOf } from './path.js';
import { RouteTrie, type TrieEntry } from './route-trie.js';
import type { AuthzRequest, Policy, RouteMatch } from './types.js';

/** Which requests a route is for. What is left out is not compared. */
export interface RoutePattern {
  /** Names, `*.name` or `*`. */
  readonly hosts?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
  readonly methods?: readonly string[] | undefined;
}

/** A route with its policy. */
export interface RouteSpec extends RoutePattern {
  readonly policy: Policy;
}

/** Routes, compiled. */
export interface Router {
  /**
   * The match of the first route for this request. The query takes no part.
   *
   * @param request untrusted in host, path and method
   * @throws Denial ambiguous_path, invalid_host (where any route names hosts), no_route
   */
  match(request: Pick<AuthzRequest, 'host' | 'path' | 'method'>): RouteMatch;
}

/** A route in the tree: with the match itself where nothing of the request is in it. */
interface RouteEntry extends TrieEntry {
  readonly match: RouteMatch;
  /** Named segments and their position. */
  readonly params: readonly { readonly name: string; readonly at: number }[];
}

const NO_ROUTE = new Denial('no_route');
const INVALID_HOST = new Denial('invalid_host');

/**
 * Compiles routes once for all requests; what a match costs does not grow with their number.
 *
 * @param routes from the configuration, in order
 * @throws PathPatternError, or Error for an invalid host: the configuration checks both before
 */
export function createRouter(routes: readonly RouteSpec[]): Router {
  const table = new HostTable<RouteEntry>();
  routes.forEach((route, index) => addRoute(table, route, index));
  return {
    match(request) {
      const path = matchedPathOf(request);
      const host = table.needsHost ? hostOf(request.host) : '';
      const found = table.find(host, path, judgedMethodOf(request.method));
      if (found === undefined) throw NO_ROUTE;
      return found.params.length === 0 ? found.match : { ...found.match, params: paramsOf(found, path) };
    },
  };
}

/** CONNECT has no path: only what matches every path matches it. */
function matchedPathOf({ path, method }: Pick<AuthzRequest, 'path' | 'method'>): string {
  if (path === '' && method === 'CONNECT') return path;
  assertUnambiguousPath(path);
  return normalPathOf(path);
}

function hostOf(host: string): string {
  const normal = normalizeHost(host);
  if (normal === undefined) throw INVALID_HOST;
  return normal;
}

function addRoute(table: HostTable<RouteEntry>, route: RouteSpec, index: number): void {
  const match: RouteMatch = Object.freeze({
    policy: route.policy,
    source: 'route',
    route: index,
    params: Object.freeze(Object.create(null) as Record<string, string>),
  });
  const methods = methodsOf(route);
  for (const pattern of patternsOf(route)) {
    const entry: RouteEntry = { index, match, params: namedSegmentsOf(pattern) };
    for (const host of hostsOf(route)) table.trieOf(host).add(pattern, entry, methods);
  }
}

function namedSegmentsOf(pattern: PathPattern): RouteEntry['params'] {
  return pattern.segments.flatMap((segment, at) =>
    segment.kind === 'any' && segment.name !== undefined ? [{ name: segment.name, at }] : [],
  );
}

function paramsOf({ params }: RouteEntry, path: string): Readonly<Record<string, string>> {
  const segments = path.split('/');
  const values = Object.create(null) as Record<string, string>;
  for (const { name, at } of params) values[name] = segments[at + 1] ?? '';
  return values;
}

/** @returns the methods of a route in upper case, HEAD wherever there is GET; undefined: all */
export function methodsOf({ methods }: RoutePattern): ReadonlySet<string> | undefined {
  if (methods === undefined) return undefined;
  const set = new Set(methods.map((method) => method.toUpperCase()));
  if (set.has('GET')) set.add('HEAD');
  return set;
}

/** @returns the path patterns of a route; one that names none matches every path */
export function patternsOf({ paths }: RoutePattern): readonly PathPattern[] {
  return paths === undefined ? [ANY_PATH] : paths.map(parsePathPattern);
}

/** @returns the hosts of a route as keys of a HostTable */
export function hostsOf({ hosts }: RoutePattern): readonly string[] {
  return hosts === undefined ? [ANY_HOST] : hosts.map(hostKeyOf);
}

/** The key of routes that do not look at the host. */
export const ANY_HOST = '*';

function hostKeyOf(text: string): string {
  const pattern = parseHostPattern(text);
  if (pattern === undefined) throw new Error('a route has an invalid host');
  return pattern.kind === 'any' ? ANY_HOST : pattern.host;
}

/** Trees by host: exact names, suffixes (with a leading dot), and one for all hosts. */
export class HostTable<E extends TrieEntry> {
  private readonly tries = new Map<string, RouteTrie<E>>();
  private any: RouteTrie<E> | undefined;
  private longestSuffix = 0;
  /** Does any route look at the host? */
  needsHost = false;

  /** The tree of a host key, made where it is missing. */
  trieOf(key: string): RouteTrie<E> {
    const present = this.tries.get(key);
    if (present !== undefined) return present;
    const trie = new RouteTrie<E>();
    this.tries.set(key, trie);
    if (key === ANY_HOST) this.any = trie;
    else this.needsHost = true;
    if (key.startsWith('.')) this.longestSuffix = Math.max(this.longestSuffix, key.length);
    return trie;
  }

  /** @returns the tree of a key, where there is one */
  get(key: string): RouteTrie<E> | undefined {
    return this.tries.get(key);
  }

  /** @param host normal form; not looked at unless `needsHost` */
  find(host: string, path: string, method: string): E | undefined {
    let best = this.any?.find(path, method, undefined);
    if (!this.needsHost) return best;
    best = this.tries.get(host)?.find(path, method, best) ?? best;
    if (this.longestSuffix === 0) return best;
    for (const suffix of suffixesOf(host, this.longestSuffix)) {
      best = this.tries.get(suffix)?.find(path, method, best) ?? best;
    }
    return best;
  }
}

/**
 * `.b.c` and `.c` of `a.b.c`, no longer than the longest that is asked for.
 *
 * @param host normal form, or a suffix with its leading dot (which is then left out itself)
 */
export function suffixesOf(host: string, longest: number): string[] {
  const suffixes: string[] = [];
  let dot = host.indexOf('.', Math.max(1, host.length - longest));
  for (; dot >= 0; dot = host.indexOf('.', dot + 1)) suffixes.push(host.slice(dot));
  return suffixes;
}

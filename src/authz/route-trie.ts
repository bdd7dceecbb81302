/**
 * Path patterns as a tree of segments. The cost of a search depends on the length of the path, not on the number of routes: each
 * step is one lookup, and a branch is entered only while it can still hold an earlier route than the best so far.
 * Where `*` and literals overlap both are followed, so the worst case is the number of patterns that agree
 * with the path so far. The operator chooses it; a client cannot raise it.
 */
import type { PathPattern } from './path-pattern.js';

/** The end of a search; the lowest index wins. */
export interface TrieEntry {
  readonly index: number;
}

/** Where nothing was found yet. */
const NONE = Number.POSITIVE_INFINITY;

/** Entries by method, the earliest of each. */
class MethodTable<E extends TrieEntry> {
  private any: E | undefined;
  private byMethod: Map<string, E> | undefined;

  add(entry: E, methods: ReadonlySet<string> | undefined): void {
    if (methods === undefined) {
      if (this.any === undefined || entry.index < this.any.index) this.any = entry;
      return;
    }
    this.byMethod ??= new Map<string, E>();
    for (const method of methods) {
      const present = this.byMethod.get(method);
      if (present === undefined || entry.index < present.index) this.byMethod.set(method, entry);
    }
  }

  /** @returns the earlier of the entry for this method and the one for all; undefined asks for the latter alone */
  find(method: string | undefined): E | undefined {
    const own = method === undefined ? undefined : this.byMethod?.get(method);
    if (own === undefined) return this.any;
    return this.any === undefined || own.index < this.any.index ? own : this.any;
  }
}

class Node<E extends TrieEntry> {
  /** The earliest entry at or below this node. */
  first = NONE;
  readonly literals = new Map<string, Node<E>>();
  any: Node<E> | undefined;
  ends: MethodTable<E> | undefined;
  rest: MethodTable<E> | undefined;
}

/** A set of patterns, each with an entry. */
export class RouteTrie<E extends TrieEntry> {
  private readonly root = new Node<E>();

  /** Adds a pattern. @param methods in upper case; undefined: all */
  add(pattern: PathPattern, entry: E, methods: ReadonlySet<string> | undefined): void {
    let node = this.root;
    node.first = Math.min(node.first, entry.index);
    for (const segment of pattern.segments) {
      if (segment.kind === 'any') node = node.any ??= new Node<E>();
      else node = childOf(node, segment.text);
      node.first = Math.min(node.first, entry.index);
    }
    if (pattern.rest) (node.rest ??= new MethodTable<E>()).add(entry, methods);
    else (node.ends ??= new MethodTable<E>()).add(entry, methods);
  }

  /**
   * The earliest entry whose pattern and method match.
   *
   * @param path normal form; empty (CONNECT) matches only what matches every path
   * @param best an entry that is known already
   * @returns that, or an earlier one
   */
  find(path: string, method: string, best: E | undefined): E | undefined {
    if (this.root.first >= (best?.index ?? NONE)) return best;
    if (path === '') return earlier(this.root.rest?.find(method), best);
    return search(this.root, { path, method }, 1, best);
  }

  /**
   * The earliest entry whose pattern matches all that the given one matches.
   *
   * @param method undefined: for every method
   */
  findCover(pattern: PathPattern, method: string | undefined): E | undefined {
    return cover(this.root, pattern, method, 0);
  }
}

function childOf<E extends TrieEntry>(node: Node<E>, text: string): Node<E> {
  let child = node.literals.get(text);
  if (child === undefined) node.literals.set(text, (child = new Node<E>()));
  return child;
}

function earlier<E extends TrieEntry>(found: E | undefined, best: E | undefined): E | undefined {
  if (found === undefined) return best;
  return best === undefined || found.index < best.index ? found : best;
}

/** @param start where the next segment begins; beyond the end: no segment is left */
function search<E extends TrieEntry>(
  node: Node<E>,
  query: { readonly path: string; readonly method: string },
  start: number,
  best: E | undefined,
): E | undefined {
  const { path, method } = query;
  if (node.rest !== undefined) best = earlier(node.rest.find(method), best);
  if (start > path.length) return node.ends === undefined ? best : earlier(node.ends.find(method), best);
  const slash = path.indexOf('/', start);
  const end = slash < 0 ? path.length : slash;
  const literal = node.literals.size === 0 ? undefined : node.literals.get(path.slice(start, end));
  if (literal !== undefined && literal.first < (best?.index ?? NONE))
    best = search(literal, query, end + 1, best);
  const { any } = node;
  if (any !== undefined && end > start && any.first < (best?.index ?? NONE)) {
    best = search(any, query, end + 1, best);
  }
  return best;
}

function cover<E extends TrieEntry>(
  node: Node<E>,
  pattern: PathPattern,
  method: string | undefined,
  depth: number,
): E | undefined {
  let best = node.rest?.find(method);
  const segment = pattern.segments[depth];
  if (segment === undefined) return pattern.rest ? best : earlier(node.ends?.find(method), best);
  if (segment.kind === 'literal') {
    const literal = node.literals.get(segment.text);
    if (literal !== undefined) best = earlier(cover(literal, pattern, method, depth + 1), best);
  }
  const covers = segment.kind === 'any' || segment.text !== '';
  if (covers && node.any !== undefined) best = earlier(cover(node.any, pattern, method, depth + 1), best);
  return best;
}

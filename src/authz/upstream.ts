/**
 * How an allowed request is changed: identity headers are set, and everything that could pass for identity, or was a
 * credential, is removed. The lists are made once and shared, and so are their bytes; only a request with something
 * unusual gets lists of its own.
 */
import { withoutCookies } from './cookies.js';
import type { CredentialSource } from './credentials.js';
import { createAliasSearch, staticAliasesOf } from './identity/aliases.js';
import type { IdentityHeaders } from './identity/headers.js';
import { hasParameter } from './query.js';
import { isKept } from './kept.js';
import type { CheckContext, HeaderPair, UpstreamChanges } from './types.js';

/** The operator's choices. */
export interface UpstreamOptions {
  readonly identity: Pick<IdentityHeaders, 'names'>;
  /** Header of the identity token; undefined: none is issued. */
  readonly tokenHeader: string | undefined;
  /** `forward`: what the client presented goes upstream as it was sent. */
  readonly credential: 'remove' | 'forward';
  readonly sources: readonly CredentialSource[];
  /** `forward`: headers that ask the upstream to act on another method than the one that was judged go on. */
  readonly methodOverride: 'remove' | 'forward';
  /** Request headers that conditions read, in lower case: their aliases are removed, they themselves are kept. */
  readonly conditionHeaders: readonly string[];
}

/** @returns what an allowed request is changed into */
export type UpstreamBuilder = (ctx: CheckContext) => UpstreamChanges;

/** Headers by which a client asks an upstream to act on another method than the one that was judged. */
const METHOD_OVERRIDES = ['x-http-method', 'x-http-method-override', 'x-method-override'];

const NO_NAMES: readonly string[] = Object.freeze([]);
/** Combinations of absent claims whose lists are kept; beyond them lists are made per request. */
const MAX_VARIANTS = 1000;

/**
 * @param options validated configuration
 * @returns a builder; it throws Denial invalid_claims where the identity cannot be expressed in full
 */
export function createUpstreamBuilder(options: UpstreamOptions): UpstreamBuilder {
  const removals = createRemovals(options);
  const pairsOf = createPairs(options);
  const credentials = options.credential === 'remove' ? options.sources : [];
  const cookieOf = createCookieChange(credentials);
  const queryOf = createQueryRemoval(credentials);
  return (ctx) => {
    const set = pairsOf(ctx);
    const remove = removals.of(set, ctx.request.headers);
    const cookie = cookieOf(ctx);
    const removeQuery = queryOf(ctx.request.query);
    if (cookie === undefined) return { set, remove, removeQuery };
    if (cookie === '') return { set, remove: Object.freeze([...remove, 'cookie']), removeQuery };
    return { set: Object.freeze([...set, ['cookie', cookie] as const]), remove, removeQuery };
  };
}

// ---- set -------------------------------------------------------------------------------------------------------------

/** @returns identity headers, with the identity token last; the same list while both stay the same */
function createPairs({ tokenHeader }: UpstreamOptions): (ctx: CheckContext) => readonly HeaderPair[] {
  const header = tokenHeader?.toLowerCase();
  const withToken = new WeakMap<readonly HeaderPair[], readonly HeaderPair[]>();
  return ({ token, identity, identityToken }) => {
    if (header === undefined || identityToken === undefined) return identity;
    const present = withToken.get(identity);
    if (present?.at(-1)?.[1] === identityToken) return present;
    const extended = Object.freeze([...identity, Object.freeze([header, identityToken] as const)]);
    if (token !== undefined && isKept(token)) withToken.set(identity, extended);
    return extended;
  };
}

// ---- remove ----------------------------------------------------------------------------------------------------------

/** Names to remove, for every combination of names that are set. */
interface Removals {
  of(set: readonly HeaderPair[], headers: CheckContext['request']['headers']): readonly string[];
}

function createRemovals(options: UpstreamOptions): Removals {
  const overrides = options.methodOverride === 'remove' ? METHOD_OVERRIDES : [];
  const guarded = [...identityNamesOf(options), ...credentialNamesOf(options), ...overrides];
  const removed = new Set(guarded.flatMap(staticAliasesOf));
  const read = options.conditionHeaders.filter((name) => !removed.has(name));
  const always = [...removed, ...aliasesOfRead(read, removed)];
  const findOdd = createAliasSearch([...guarded, ...read], new Set([...always, ...read]));
  const variants = new Map<string, readonly string[]>();
  const without = (names: readonly string[]): readonly string[] =>
    Object.freeze(always.filter((name) => !names.includes(name)));
  // Nearly every request sets nothing or everything there is.
  const whenNone = without([]);
  const names = identityNamesOf(options);
  const whenAll = without(names);
  const withoutSome = (set: readonly HeaderPair[]): readonly string[] => {
    const some = set.map(([name]) => name);
    const key = some.join(' ');
    const present = variants.get(key);
    if (present !== undefined) return present;
    const list = without(some);
    if (variants.size < MAX_VARIANTS) variants.set(key, list);
    return list;
  };
  return {
    of(set, headers) {
      const list = set.length === 0 ? whenNone : set.length === names.length ? whenAll : withoutSome(set);
      const odd = findOdd(headers);
      return odd.length === 0 ? list : Object.freeze([...list, ...odd]);
    },
  };
}

/** The usual aliases of headers that conditions read, but for those that are read themselves. */
function aliasesOfRead(read: readonly string[], removed: ReadonlySet<string>): string[] {
  const aliases = new Set(read.flatMap(staticAliasesOf));
  return [...aliases].filter((name) => !read.includes(name) && !removed.has(name));
}

function identityNamesOf({ identity, tokenHeader }: UpstreamOptions): string[] {
  return tokenHeader === undefined ? [...identity.names] : [...identity.names, tokenHeader.toLowerCase()];
}

/** The proof is removed with the credential: the upstream has no use for it, a thief does. */
function credentialNamesOf({ credential, sources }: UpstreamOptions): string[] {
  if (credential === 'forward') return [];
  const names = sources.flatMap((source) => ('header' in source ? [source.header.toLowerCase()] : []));
  return [...new Set([...names, 'dpop'])];
}

// ---- cookie and query ------------------------------------------------------------------------------------------------

/** @returns the cookie header without credentials; empty: remove it; undefined: leave it */
function createCookieChange(sources: readonly CredentialSource[]): (ctx: CheckContext) => string | undefined {
  const names = new Set(sources.flatMap((source) => ('cookie' in source ? [source.cookie] : [])));
  if (names.size === 0) return () => undefined;
  return ({ request }) => withoutCookies(request.headers, names);
}

/** Envoy sorts the remaining parameters when it removes one, so removal is asked for only where it is needed. */
function createQueryRemoval(
  sources: readonly CredentialSource[],
): (query: string | undefined) => readonly string[] {
  const names = Object.freeze(sources.flatMap((source) => ('query' in source ? [source.query] : [])));
  if (names.length === 0) return () => NO_NAMES;
  return (query) => (names.some((name) => hasParameter(query, name)) ? names : NO_NAMES);
}

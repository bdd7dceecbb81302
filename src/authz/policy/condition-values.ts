/**
 * What a condition sees of a request: `claims`, `session`, `request` and `token`. Everything is made on first use, and bounded;
 * claims become Maps, so that nothing but own members can be reached.
 */
import { perObject } from '../kept.js';
import type { JsonObject } from '../../ports.js';
import { normalizeHost } from '../host.js';
import { judgedMethodOf } from '../method.js';
import { assertTrueTarget, isAmbiguousPath, normalPathOf } from '../path.js';
import type { CheckContext, VerifiedToken } from '../types.js';

/** The variables of a condition, as the evaluator asks for them. */
export interface ConditionVariables {
  readonly claims: ReadonlyMap<string, unknown>;
  /** The claim `session`; empty where there is none. */
  readonly session: ReadonlyMap<string, unknown>;
  readonly request: RequestView;
  readonly token: TokenView;
}

/** Stands for what must not be read. The evaluator does not know its type, so using it fails the condition. */
class Unreadable {
  readonly reason = 'more than a condition may read, or not readable in one way';
}
const UNREADABLE = new Unreadable();

/** Members of all claims together, list elements included; nesting of each; characters of a text. */
const MAX_MEMBERS = 2048;
const MAX_DEPTH = 6;
const MAX_TEXT = 4096;

/** The fields of `request`, with their CEL types. */
export const REQUEST_FIELDS = {
  method: 'string',
  path: 'string',
  host: 'string',
  headers: 'map<string, string>',
  params: 'map<string, string>',
  query: 'map<string, string>',
  time: 'google.protobuf.Timestamp',
};

/** The fields of `token`, with their CEL types. */
export const TOKEN_FIELDS = {
  issuer: 'string',
  subject: 'string',
  clientId: 'string',
  scopes: 'list<string>',
  binding: 'string',
  issuedAt: 'google.protobuf.Timestamp',
  expiresAt: 'google.protobuf.Timestamp',
};

/**
 * `request`. A field that cannot be read in one way throws. Maps are made once for each evaluation, however often a
 * condition mentions them.
 */
export class RequestView {
  private headerMap: ReadonlyMap<string, unknown> | undefined;
  private paramMap: ReadonlyMap<string, unknown> | undefined;
  private queryMap: ReadonlyMap<string, unknown> | undefined;

  constructor(private readonly ctx: CheckContext) {}

  /** As it was judged: in upper case. */
  get method(): string {
    return judgedMethodOf(this.ctx.request.method);
  }

  /** Percent-decoded, so that `/%61dmin` is `/admin`. Where the proxy chose the policy, the path was not checked before. */
  get path(): string {
    const { path } = this.ctx.request;
    if (path === '') return path;
    assertTrueTarget(this.ctx.request);
    if (isAmbiguousPath(path)) throw new Error('the path can be read in more than one way');
    return bounded(normalPathOf(path));
  }

  /** Without case, port and final dot. */
  get host(): string {
    const host = normalizeHost(this.ctx.request.host);
    if (host === undefined) throw new Error('the host is not a valid host');
    return host;
  }

  /** By lower-case name; several of one name are joined by a comma. */
  get headers(): ReadonlyMap<string, unknown> {
    return (this.headerMap ??= readableMap(this.ctx.request.headers.joined()));
  }

  /** Named segments of the route. */
  get params(): ReadonlyMap<string, unknown> {
    return (this.paramMap ??= readableMap(Object.entries(this.ctx.match?.params ?? {})));
  }

  /** Decoded. A parameter that comes twice means different things to different servers, so it cannot be read. */
  get query(): ReadonlyMap<string, unknown> {
    assertTrueTarget(this.ctx.request);
    return (this.queryMap ??= parametersOf(bounded(this.ctx.request.query ?? '')));
  }

  get time(): Date {
    return new Date(this.ctx.nowMs);
  }
}

/** `token`. What a token does not have is absent. */
export class TokenView {
  private scopeList: readonly string[] | undefined;

  constructor(private readonly token: VerifiedToken) {}

  get issuer(): string {
    return this.token.issuer;
  }

  get subject(): string | undefined {
    return this.token.subject;
  }

  get clientId(): string | undefined {
    return this.token.clientId;
  }

  get scopes(): readonly string[] {
    return (this.scopeList ??= [...this.token.scopes]);
  }

  /** `dpop`, `mtls`, `both` or `none`: what the token is bound to. */
  get binding(): string {
    const { jkt, x5tS256 } = this.token.confirmation ?? {};
    if (jkt !== undefined) return x5tS256 === undefined ? 'dpop' : 'both';
    return x5tS256 === undefined ? 'none' : 'mtls';
  }

  get issuedAt(): Date | undefined {
    const { issuedAtS } = this.token;
    return issuedAtS === undefined ? undefined : new Date(issuedAtS * 1000);
  }

  get expiresAt(): Date | undefined {
    const { expiresAtS } = this.token;
    return expiresAtS === undefined ? undefined : new Date(expiresAtS * 1000);
  }
}

const NO_SESSION: ReadonlyMap<string, unknown> = new Map();

/** The variables of one evaluation. */
export function createConditionVariables(ctx: CheckContext, token: VerifiedToken): ConditionVariables {
  return {
    get claims() {
      return claimsViewOf(token.claims);
    },
    get session() {
      const session = claimsViewOf(token.claims).get('session');
      return session instanceof Map ? (session as ReadonlyMap<string, unknown>) : NO_SESSION;
    },
    request: new RequestView(ctx),
    token: new TokenView(token),
  };
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT) throw new Error('too long for a condition');
  return text;
}

function readableMap(entries: Iterable<readonly [string, string]>): ReadonlyMap<string, unknown> {
  const map = new Map<string, unknown>();
  for (const [name, text] of entries) map.set(name, readable(text));
  return map;
}

function readable(text: string): unknown {
  return text.length > MAX_TEXT ? UNREADABLE : text;
}

function parametersOf(query: string): ReadonlyMap<string, unknown> {
  const parameters = new Map<string, unknown>();
  for (const parameter of query === '' ? [] : query.split('&')) {
    const equals = parameter.indexOf('=');
    const name = decoded(equals < 0 ? parameter : parameter.slice(0, equals));
    const value = decoded(equals < 0 ? '' : parameter.slice(equals + 1));
    if (name === undefined) throw new Error('a query parameter cannot be decoded');
    parameters.set(name, value === undefined || parameters.has(name) ? UNREADABLE : value);
  }
  return parameters;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

// ---- claims ----------------------------------------------------------------------------------------------------------

/**
 * Claims as a condition sees them. A claim that is too deep, too long or one too many, or that holds a number beyond
 * 2^53, is unreadable as a whole: half a list would answer `in` wrongly.
 *
 * @param claims of a verified token; their values are whatever the issuer put there
 */
const claimsViewOf = perObject(buildView);

/** Shared: its stack is never read. */
const TOO_MUCH = new Error('more than a condition may read');

function buildView(claims: JsonObject): ReadonlyMap<string, unknown> {
  const view = new Map<string, unknown>();
  const budget = { members: MAX_MEMBERS };
  for (const name of Object.keys(claims)) {
    if (name !== '__proto__') view.set(name, viewOrUnreadable(claims[name], budget));
  }
  return view;
}

function viewOrUnreadable(value: unknown, budget: { members: number }): unknown {
  try {
    return viewOf(value, 1, budget);
  } catch (error) {
    if (error === TOO_MUCH) return UNREADABLE;
    throw error;
  }
}

function viewOf(value: unknown, depth: number, budget: { members: number }): unknown {
  if (typeof value === 'string' && value.length > MAX_TEXT) throw TOO_MUCH;
  // It was rounded when it was parsed, so its neighbours would be equal to it.
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw TOO_MUCH;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw TOO_MUCH;
  const members = Array.isArray(value) ? value.length : Object.keys(value).length;
  budget.members -= members;
  if (budget.members < 0) throw TOO_MUCH;
  if (Array.isArray(value)) return value.map((member) => viewOf(member, depth + 1, budget));
  const view = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    if (name !== '__proto__') view.set(name, viewOf(member, depth + 1, budget));
  }
  return view;
}

/** Requests, contexts and tokens as the stages get them. */
import { Denial, type DenialCode, type DenialDetails } from '../../src/authz/denial.js';
import { createContext } from '../../src/authz/pipeline.js';
import { createRefusalBuilder } from '../../src/authz/refusal.js';
import { markKept } from '../../src/authz/kept.js';
import type {
  AuthzRequest,
  CheckContext,
  Deny,
  Policy,
  RequestHeaders,
  RouteMatch,
  VerifiedToken,
} from '../../src/authz/types.js';

/** The moment at which these tests happen. */
export const NOW_MS = Date.UTC(2026, 0, 15, 12, 0, 0);
export const NOW_S = NOW_MS / 1000;

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string | undefined;
  readonly hasTrueTarget?: boolean;
  readonly host?: string;
  /** A list is several fields of one name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly extensions?: Readonly<Record<string, string>>;
  readonly callPolicy?: string;
  readonly callAuthority?: string;
}

/** Headers as the decoder would give them. */
export function headersOf(fields: Readonly<Record<string, string | readonly string[]>> = {}): RequestHeaders {
  const lists = new Map(Object.entries(fields).map(([name, value]) => [name, [value].flat()]));
  return {
    get: (name) => lists.get(name)?.join(','),
    all: (name) => lists.get(name) ?? [],
    names: () => lists.keys(),
    joined: () => new Map([...lists].map(([name, values]) => [name, values.join(',')])),
  };
}

export function authzRequest(parts: RequestParts = {}): AuthzRequest {
  const headers = headersOf(parts.headers ?? {});
  return {
    method: parts.method ?? 'GET',
    path: parts.path ?? '/',
    query: parts.query,
    hasTrueTarget: parts.hasTrueTarget ?? true,
    host: parts.host ?? 'api.example.com',
    headers,
    requestId: headers.get('x-request-id'),
    peerCertificate: undefined,
    contextExtensions: new Map(Object.entries(parts.extensions ?? {})),
    callPolicy: parts.callPolicy,
    callAuthority: parts.callAuthority,
    rpc: undefined,
  };
}

export function policyOf(parts: Partial<Policy> = {}): Policy {
  return {
    name: 'default',
    access: 'required',
    issuers: undefined,
    challengeScope: '',
    requirements: [],
    conditionHeaders: [],
    senderConstraint: undefined,
    consumeProof: true,
    corsPreflight: false,
    corsOrigins: new Set(),
    errors: 'oauth',
    shadow: undefined,
    ...parts,
  };
}

export interface ContextParts extends RequestParts {
  readonly params?: Readonly<Record<string, string>>;
  readonly policy?: Policy;
  readonly nowMs?: number;
}

export function checkContext(parts: ContextParts = {}): CheckContext {
  const ctx = createContext(authzRequest(parts), parts.nowMs ?? NOW_MS);
  const match: RouteMatch = {
    policy: parts.policy ?? policyOf(),
    source: 'route',
    params: parts.params ?? {},
  };
  ctx.match = match;
  return ctx;
}

export function verifiedToken(parts: Partial<VerifiedToken> = {}): VerifiedToken {
  const token: VerifiedToken = {
    issuer: 'https://login.example.com',
    hash: 'hash-of-the-token',
    claims: {},
    subject: 'user-alice',
    clientId: 'app',
    scopes: new Set(),
    confirmation: undefined,
    expiresAtS: NOW_S + 600,
    notBeforeS: undefined,
    issuedAtS: NOW_S - 60,
    ...parts,
  };
  markKept(token);
  return token;
}

/** A denial as the pipeline makes it, of a request that reached no policy unless the context says so. */
export function deniedFor(code: DenialCode, ctx: CheckContext, details: DenialDetails = {}): Deny {
  const denial = new Denial(code, details);
  const refusal = createRefusalBuilder({ dpop: undefined, failure: 'deny' })(ctx, denial);
  return { kind: 'deny', ctx, denial, refusal, metadata: {} };
}

/** What a call throws; undefined where it does not. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The code of the Denial that a call throws, or `passed`. */
export function denialOf(call: () => unknown): unknown {
  const error = thrownBy(call);
  return error === undefined ? 'passed' : ((error as { code?: unknown }).code ?? error);
}

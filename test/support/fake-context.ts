import { createContext } from '../../src/authz/pipeline.js';
import type { AuthzRequest, CheckContext, Policy, RequestHeaders } from '../../src/authz/types.js';
import { NOW_MS } from './tokens.js';

/** Header fields, several of one name as a list. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** Headers as the decoder would give them. */
export function fakeHeaders(fields: HeaderFields = {}): RequestHeaders {
  const all = (name: string): readonly string[] => [fields[name] ?? []].flat();
  return {
    all,
    get: (name) => (all(name).length === 0 ? undefined : all(name).join(',')),
    names: () => Object.keys(fields),
  };
}

/** A GET of https://api.example.com/orders, but for what the test changes. */
function fakeRequest(over: Partial<AuthzRequest> = {}): AuthzRequest {
  return {
    method: 'GET',
    path: '/orders',
    query: undefined,
    host: 'api.example.com',
    headers: fakeHeaders(),
    requestId: undefined,
    peerCertificate: undefined,
    contextExtensions: new Map(),
    callPolicy: undefined,
    callAuthority: undefined,
    rpc: undefined,
    ...over,
  };
}

/** A policy that asks for a token and nothing else, but for what the test changes. */
function fakePolicy(over: Partial<Policy> = {}): Policy {
  return {
    name: 'default',
    access: 'required',
    issuers: undefined,
    challengeScope: '',
    requirements: [],
    senderConstraint: undefined,
    consumeProof: true,
    corsPreflight: false,
    corsOrigins: new Set(),
    errors: 'oauth',
    shadow: undefined,
    ...over,
  };
}

/** The context of a Check under some policy, before any credential was found. */
export function fakeContext(request: Partial<AuthzRequest> = {}, policy: Partial<Policy> = {}): CheckContext {
  const ctx = createContext(fakeRequest(request), NOW_MS);
  ctx.match = { policy: fakePolicy(policy), source: 'default', params: {}, limitsMethods: false };
  return ctx;
}

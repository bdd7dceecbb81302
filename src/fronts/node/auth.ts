/** What a handler learns of the caller. */
import type { Confirmation, HeaderPair, VerifiedToken } from '../../authz/types.js';
import type { JsonObject } from '../../ports.js';

/** The caller, as its verified token names it. Frozen: what one handler does to it reaches no other request. */
export interface Auth {
  /** `iss` of the token. */
  readonly issuer: string;
  /** `sub`. */
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** All claims. No prototype: `constructor` is not in it unless the token says so. */
  readonly claims: JsonObject;
  /** What the token is bound to; that the caller holds it was proved. undefined: a bearer token. */
  readonly confirmation: Confirmation | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** The request may go on. */
export interface GateAllow {
  readonly allowed: true;
  /** Names the decision in the log. */
  readonly decisionId: string;
  /** Name of the policy that judged. */
  readonly policy: string;
  /** undefined: nobody, where the policy does not ask for a credential. */
  readonly auth: Auth | undefined;
  /** Header fields of the request that are replaced before a handler or an upstream sees it; names in lower case. */
  readonly setHeaders: readonly HeaderPair[];
  /** Header fields of the request that must not reach a handler or an upstream: they could pass for identity, or are a credential. */
  readonly removeHeaders: readonly string[];
  /** Query parameters that must not reach them. */
  readonly removeQuery: readonly string[];
  /** For the client, beside the handler's own answer, such as `DPoP-Nonce`. */
  readonly responseHeaders: readonly HeaderPair[];
  /** Was the request's DPoP proof used up by this decision? */
  readonly isProofSpent: boolean;
}

/** The request ends here. */
export interface GateDeny {
  readonly allowed: false;
  readonly decisionId: string;
  /** Name of the policy that judged; undefined: none was found. */
  readonly policy: string | undefined;
  /** Of the denial catalogue, such as `missing_credential`. */
  readonly code: string;
  readonly status: number;
  /** Content-Type included. A name may come more than once. */
  readonly headers: readonly HeaderPair[];
  /** undefined: no body, as for HEAD. */
  readonly body: string | undefined;
}

/** The answer to a request. */
export type GateDecision = GateAllow | GateDeny;

const known = new WeakMap<VerifiedToken, Auth>();

/** Describes a verified token. The same object while the same token is kept. */
export function authOf(token: VerifiedToken): Auth {
  const present = known.get(token);
  if (present !== undefined) return present;
  const auth: Auth = Object.freeze({
    issuer: token.issuer,
    subject: token.subject,
    clientId: token.clientId,
    scopes: Object.freeze([...token.scopes]),
    claims: freeze(token.claims) as JsonObject,
    confirmation: token.confirmation && Object.freeze({ ...token.confirmation }),
    expiresAt: token.expiresAtS,
  });
  known.set(token, auth);
  return auth;
}

/** Claims are shared with later requests that bring the same token. The strict reader bounds their depth. */
function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}

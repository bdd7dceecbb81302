/**
 * The types of a decision. Nothing here knows a front, files or metrics.
 */
import type { JsonObject } from '../ports.js';
import type { Denial, DenialEntry } from './denial.js';

/** The header fields of a request. Names are lower-case. All values are the client's, and untrusted. */
export interface RequestHeaders {
  /** The value of a header that came once; several are joined by a bare comma. */
  get(name: string): string | undefined;
  /** Every field of that name in order. Fields that a proxy joined by a comma are still one. */
  all(name: string): readonly string[];
  /** All names, each once. */
  names(): Iterable<string>;
  /** Every header by name, several of one name joined as `get` joins them; made in one pass over the fields. */
  joined(): ReadonlyMap<string, string>;
}

/** A request as whoever asks describes it. Never changes. */
export interface AuthzRequest {
  /** The method as sent, with case. A registered one is in upper case. */
  readonly method: string;
  /** The path as the client sent it, without query and fragment; empty for CONNECT only. */
  readonly path: string;
  /** What follows `?`, without it; undefined where the target has no query. */
  readonly query: string | undefined;
  /**
   * Are path and query, as they stand here, what is forwarded? False where the bytes that were sent are known to differ,
   * or where one is not visible ASCII. Where those bytes are not known the text is believed.
   */
  readonly hasTrueTarget: boolean;
  /** Host or `:authority` as the client sent it; not checked yet. */
  readonly host: string;
  readonly headers: RequestHeaders;
  /** `x-request-id`, for correlation only. */
  readonly requestId: string | undefined;
  /** The peer's leaf certificate as URL-encoded PEM, from the client's TLS session; undefined: none was shown. */
  readonly peerCertificate: string | undefined;
  /** What the operator says of the route: `portcullis.policy` names its policy. Trusted. */
  readonly contextExtensions: ReadonlyMap<string, string>;
  /** The name of a policy that came with the question itself. Trusted: the operator's proxy sets it. */
  readonly callPolicy: string | undefined;
  /** The name by which this server was asked. Trusted. */
  readonly callAuthority: string | undefined;
  /** What the code behind the gate asks for beyond the policy. Trusted. Absent: nothing more. */
  readonly demands?: Demands | undefined;
  /**
   * Is the request served by something that ignores case and a final slash of paths, or that does not decode them? Then a
   * path that it may take for another one is refused. Trusted.
   */
  readonly hasLooseRouting?: boolean | undefined;
  /** `traceparent` of the question itself, where the front reads it. Untrusted in form. */
  readonly callTraceParent?: string | undefined;
  /** A gRPC, gRPC-Web or Connect call, by content-type: decides the form of a denial, nothing else. */
  readonly rpc: 'grpc' | 'grpc-web' | 'connect' | undefined;
}

/** Where a credential was found. */
export type CredentialPlace =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string };

/** The one credential of a request. */
export interface Credential {
  /** How it was presented: only the Authorization header can say DPoP. */
  readonly scheme: 'bearer' | 'dpop';
  /** A secret: never logged, never in a message. */
  readonly token: string;
  readonly place: CredentialPlace;
}

/** `cnf` of a token, of the kinds that are enforced (RFC 9449 6.1, RFC 8705 3.1). */
export interface Confirmation {
  readonly jkt?: string;
  readonly x5tS256?: string;
}

/** What a signature and claim check has proved of a token. Immutable; shared between requests where it is kept. */
export interface VerifiedToken {
  readonly issuer: string;
  /** base64url SHA-256 of the token as sent: `ath` of a proof, and the key of the cache. */
  readonly hash: string;
  readonly claims: JsonObject;
  /** `sub`; undefined where the profile allows its absence. */
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly confirmation: Confirmation | undefined;
  /** Seconds since the epoch, as in the claims; undefined only where the kind of token allows it. */
  readonly expiresAtS: number | undefined;
  readonly notBeforeS: number | undefined;
  readonly issuedAtS: number | undefined;
}

/** A DPoP proof that passed every check but replay. */
export interface VerifiedProof {
  /** RFC 7638 thumbprint of the proof's key. */
  readonly jkt: string;
  /** Identity of the proof for the replay store. */
  readonly replayKey: string;
  /** `iat`, milliseconds since the epoch. */
  readonly issuedAtMs: number;
  /** The last moment at which this proof could be accepted, milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** A nonce to hand out with the answer, where the one used is near its end. */
  readonly freshNonce: string | undefined;
}

/** A requirement of a policy, compiled. Throws a Denial when it is not met. */
export type Requirement = (ctx: CheckContext, token: VerifiedToken) => void;

/** A policy, compiled once for all the requests it will judge. */
export interface Policy {
  readonly name: string;
  readonly access: 'anonymous' | 'optional' | 'required';
  /** Issuers whose tokens it takes; undefined: all that are configured. */
  readonly issuers: ReadonlySet<string> | undefined;
  /** The scopes a client needs, as its challenge names them (`scopes.all`, or one of `any`); empty: none. */
  readonly challengeScope: string;
  /** scopes, roles, claims, `when`, step-up, in that order. */
  readonly requirements: readonly Requirement[];
  /** Request headers that `when` reads, in lower case: their other spellings must not reach the upstream. */
  readonly conditionHeaders: readonly string[];
  readonly senderConstraint: 'dpop' | 'mtls' | 'any' | undefined;
  /** false: a DPoP proof is checked, not spent. */
  readonly consumeProof: boolean;
  /** A CORS preflight passes without a credential. */
  readonly corsPreflight: boolean;
  /** Origins whose scripts may read a denial. */
  readonly corsOrigins: ReadonlySet<string>;
  readonly errors: 'oauth' | 'problem' | 'scim';
  /** The policy that is evaluated beside this one, and never answered with. */
  readonly shadow: Policy | undefined;
}

/** What is asked for beyond a policy; from `createDemands`. */
export interface Demands {
  /** @returns the policy with the demands added; the very same object each time */
  on(policy: Policy): Policy;
}

/** Which policy judges a request, and how it was chosen. */
export interface RouteMatch {
  readonly policy: Policy;
  readonly source: 'extension' | 'metadata' | 'authority' | 'route' | 'default';
  /** The place of the route among `routes`, from 0; undefined unless a route matched. */
  readonly route?: number;
  /** Named segments of the path, percent-decoded; empty unless a route matched. */
  readonly params: Readonly<Record<string, string>>;
}

/** Everything that is known of one request so far. Stages write what they own; nothing keeps it after the request. */
export interface CheckContext {
  /** Names the decision in the log, the metadata and the body of a denial. */
  readonly id: string;
  readonly request: AuthzRequest;
  /** When the request came, milliseconds since the epoch. */
  readonly nowMs: number;
  match: RouteMatch | undefined;
  credential: Credential | undefined;
  token: VerifiedToken | undefined;
  proof: VerifiedProof | undefined;
  /** Identity headers for the upstream; empty without a token. */
  identity: readonly HeaderPair[];
  /** The signed token for the upstream, where one is configured. */
  identityToken: string | undefined;
  /** Headers for the client beside the upstream's answer, such as DPoP-Nonce. */
  readonly responseHeaders: HeaderPair[];
  /**
   * The client was answered already, because the deadline passed or too many wait. Nothing that cannot be undone may
   * happen from then on, such as spending a proof.
   */
  isAnswered: boolean;
}

/** A step of the decision. It may write to the context, throw a Denial, or end the pipeline with an allow. */
export interface Stage {
  /** As `explain` and the architecture page call it. */
  readonly name: string;
  /** @returns 'done' to allow at once; anything else goes on */
  run(ctx: CheckContext): StageResult | Promise<StageResult>;
}

/** 'done': allowed, no later stage runs. */
export type StageResult = 'done' | undefined;

/** A header field, name in lower case, value visible ASCII. */
export type HeaderPair = readonly [name: string, value: string];

/** The answer to a request, before a front writes it. */
export type Decision = Allow | Deny;

/** The request goes on. */
export interface Allow {
  readonly kind: 'allow';
  readonly ctx: CheckContext;
  readonly upstream: UpstreamChanges;
  /** For the client, beside the upstream's answer. */
  readonly responseHeaders: readonly HeaderPair[];
  readonly metadata: Metadata;
}

/** What is changed on the request before it goes on. No name is in both lists. */
export interface UpstreamChanges {
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
  readonly removeQuery: readonly string[];
}

/** The request ends here. */
export interface Deny {
  readonly kind: 'deny';
  readonly ctx: CheckContext;
  readonly denial: Denial;
  readonly refusal: Refusal;
  readonly metadata: Metadata;
}

/** An answer that ends a request. */
export interface Refusal {
  readonly status: DenialEntry['http'];
  /** Content-Type included. A name may come more than once. */
  readonly headers: readonly HeaderPair[];
  /** undefined: no body, as for HEAD. */
  readonly body: RefusalBody | undefined;
  /** A dependency is out of reach, no client had a part in that, and the operator leaves the case to the proxy. */
  readonly isLeftToProxy: boolean;
}

/** A body with a place for the decision's id, so that one refusal serves many requests. */
export interface RefusalBody {
  /** The text before the id; all of it where there is no place for one. */
  readonly before: string;
  /** The text after the id; undefined: there is no place for one. */
  readonly after: string | undefined;
}

/** Facts for the proxy's access log and later filters: JSON values. The decision's id comes beside it. */
export type Metadata = Readonly<Record<string, unknown>>;

/** What the stages report. Labels come from configuration and code, never from a request. */
export interface GateMetrics {
  tokenCache(outcome: 'hit' | 'miss' | 'negative_hit' | 'stale'): void;
  dpopProof(outcome: string): void;
  shadow(policy: string, shadow: string, live: 'allow' | 'deny', candidate: 'allow' | 'deny'): void;
}

/** Observes every decision: metrics and the decision log. */
export interface DecisionObserver {
  /** @param durationMs from the first byte read to the answer built, milliseconds */
  decided(decision: Decision, durationMs: number): void;
}

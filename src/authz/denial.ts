/**
 * The denial catalogue: every way in which a request can end here, in one table. A code is the same word in
 * the type, the log, the metric label and the docs.
 */

/** The `error` of RFC 6750 3.1, RFC 9449 7.1 and 9, RFC 9470 3; undefined: the answer has no error code. */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication';

/** One row of the catalogue. */
export interface DenialEntry {
  /** The HTTP status. A closed list, because a proxy would send any number. */
  readonly http: 400 | 401 | 403 | 413 | 500 | 503;
  /** Which challenge: `dpop` and `bearer` force a scheme, `presented` follows the credential's own. */
  readonly challenge: 'none' | 'bare' | 'presented' | 'bearer' | 'dpop';
  readonly error: OAuthError | undefined;
  /** What the client may read. Never token content. */
  readonly text: string;
  /**
   * true: this may be the outage of a dependency that no client can bring about. Only such a row may become an
   * error_response under `server.failure: error`, and only where the denial says so too (`DenialDetails.isOutage`).
   */
  readonly mayBeOutage?: boolean;
}

const request = (text: string): DenialEntry => ({
  http: 400,
  challenge: 'presented',
  error: 'invalid_request',
  text,
});
const refused = (text: string): DenialEntry => ({
  http: 400,
  challenge: 'none',
  error: 'invalid_request',
  text,
});
const token = (text: string): DenialEntry => ({
  http: 401,
  challenge: 'presented',
  error: 'invalid_token',
  text,
});
const proof = (text: string): DenialEntry => ({
  http: 401,
  challenge: 'dpop',
  error: 'invalid_dpop_proof',
  text,
});
const forbidden = (text: string): DenialEntry => ({
  http: 403,
  challenge: 'presented',
  error: 'insufficient_scope',
  text,
});
const fault = (http: 500 | 503, text: string): DenialEntry => ({
  http,
  challenge: 'none',
  error: undefined,
  text,
});

const outage = (text: string): DenialEntry => ({ ...fault(503, text), mayBeOutage: true });

/** Code → what the client gets. Tests compare this table with the docs in both directions. */
export const DENIALS = {
  missing_credential: { http: 401, challenge: 'bare', error: undefined, text: 'authentication is required' },

  malformed_credential: request('the credential is not one well-formed token'),
  multiple_credentials: request('more than one credential was sent'),
  token_too_large: request('the token is too large'),
  multiple_proofs: { ...request('more than one DPoP proof was sent'), challenge: 'dpop' },
  ambiguous_token_parameter: request('the token parameter is spelled in an unusual way'),
  malformed_request: refused('the request is incomplete or malformed'),
  ambiguous_path: refused('the path can be read in more than one way'),
  invalid_host: refused('the host is not a valid host'),

  malformed_token: token('the token is malformed'),
  untrusted_issuer: token('the token is not from an issuer that is trusted here'),
  unsupported_algorithm: token('the token is signed with an algorithm that is not accepted'),
  invalid_token_header: token('the token has a header that is not accepted'),
  invalid_token_type: token('the token is not an access token'),
  unknown_key: token('the token is signed with an unknown key'),
  invalid_signature: token('the signature of the token is not valid'),
  invalid_claims: token('the claims of the token are not acceptable'),
  invalid_audience: token('the token is not meant for this service'),
  inactive_token: token('the token is not active'),
  expired_token: token('the token has expired'),
  token_not_yet_valid: token('the token is not valid yet'),
  revoked_token: token('the token has been revoked'),
  token_lifetime_too_long: token('the token lives longer than is accepted'),
  unsupported_confirmation: token('the token is bound in a way that is not supported'),
  sender_constraint_required: token('the token must be bound to its sender'),
  unbound_token_as_dpop: { ...token('the token is not bound to a key'), challenge: 'dpop' },
  bound_token_as_bearer: { ...token('the token is bound to a key and needs a proof'), challenge: 'dpop' },
  certificate_missing: token('the token is bound to a certificate, and none was shown'),
  certificate_mismatch: token('the token is bound to another certificate'),

  dpop_proof_missing: proof('a DPoP proof is required'),
  dpop_proof_malformed: proof('the DPoP proof is malformed'),
  dpop_proof_type: proof('the DPoP proof has a wrong typ'),
  dpop_proof_algorithm: proof('the DPoP proof is signed with an algorithm that is not accepted'),
  dpop_proof_key: proof('the key in the DPoP proof is not acceptable'),
  dpop_proof_signature: proof('the signature of the DPoP proof is not valid'),
  dpop_proof_claims: proof('the DPoP proof lacks a claim, or has one of a wrong type'),
  dpop_proof_method: proof('the DPoP proof is for another method'),
  dpop_proof_target: proof('the DPoP proof is for another target'),
  dpop_proof_time: proof('the DPoP proof is too old, or from the future'),
  dpop_proof_token_hash: proof('the DPoP proof is for another token'),
  // RFC 9449 7.1 gives invalid_token where the proof is fine and the token is bound to another key; a proof that
  // does not fit the token is refused as a proof (4.3, check 12), which is what the contract's "bad proof" says.
  dpop_key_mismatch: proof('the DPoP proof is signed with another key'),
  dpop_proof_replayed: proof('the DPoP proof was used before'),
  dpop_nonce_required: {
    http: 401,
    challenge: 'dpop',
    error: 'use_dpop_nonce',
    text: 'the DPoP proof needs a nonce from this service',
  },

  insufficient_scope: forbidden('the token lacks a scope'),
  insufficient_role: forbidden('the token lacks a role'),
  claim_mismatch: forbidden('the token lacks a claim that is required here'),
  condition_failed: forbidden('the condition of the policy does not hold'),
  issuer_not_allowed: token('tokens of this issuer are not accepted here'),
  step_up_required: {
    http: 401,
    challenge: 'presented',
    error: 'insufficient_user_authentication',
    text: 'a stronger or more recent authentication is required',
  },
  untrusted_proxy: {
    http: 403,
    challenge: 'none',
    error: undefined,
    text: 'the address that asks is not one of server.http.trustedProxies',
  },
  no_route: { http: 403, challenge: 'none', error: undefined, text: 'no route matches' },

  unknown_policy: fault(500, 'the gate is misconfigured'),
  internal_error: fault(500, 'an internal error'),
  keys_unavailable: fault(503, 'the keys of the issuer are not available'),
  revocation_unavailable: outage('it cannot be known whether the token is revoked'),
  introspection_unavailable: fault(503, 'the issuer could not be asked about the token'),
  tokens_unavailable: fault(503, 'personal access tokens cannot be verified'),
  replay_unavailable: outage('the replay store is not available'),
  overloaded: fault(503, 'too many requests at once'),
  message_too_large: { ...refused('the request is too large to be judged'), http: 413 },
  deadline_exceeded: fault(503, 'no decision was reached in time'),
} as const satisfies Record<string, DenialEntry>;

/** A row's name. */
export type DenialCode = keyof typeof DENIALS;

/** What a challenge or header needs besides the code. All of it comes from configuration, none from the token. */
export interface DenialDetails {
  /** Scopes that would be sufficient, space-separated (RFC 6750 3). */
  readonly scope?: string;
  /** RFC 9470 3. */
  readonly acrValues?: string;
  /** RFC 9470 3, seconds. */
  readonly maxAgeS?: number;
  /** For Retry-After, seconds. */
  readonly retryAfterS?: number;
  /** A fresh DPoP nonce. */
  readonly nonce?: string;
  /**
   * The dependency itself is out of reach, and the client had no part in that: its token and its proof were verified.
   * Never set for anything that befalls a token that is not verified yet, for a full store or for a bound of ours.
   */
  readonly isOutage?: true;
  /** The error behind an internal one; for the log alone. */
  readonly cause?: unknown;
  /** What was asked for and what was there; for the log and `explain` alone. */
  readonly mismatch?: Mismatch;
}

/**
 * Why a requirement was not met. `found` may hold claims and client text of any size: whoever shows it bounds and
 * redacts it. Never a credential.
 */
export interface Mismatch {
  /** As the configuration calls it: `claims.tenant`, `roles.any`, `scopes.all`, `audiences`. */
  readonly requirement: string;
  readonly expected?: unknown;
  readonly found?: unknown;
}

/**
 * A refusal. Not an Error: it is expected, it is thrown on the hot path, and it carries no stack.
 */
export class Denial {
  readonly entry: DenialEntry;

  constructor(
    readonly code: DenialCode,
    readonly details: DenialDetails = {},
  ) {
    this.entry = DENIALS[code];
  }

  /** May the proxy's failure mode decide, if the operator asked for that? Both the row and the thrower must say so. */
  get isOutage(): boolean {
    return this.entry.mayBeOutage === true && this.details.isOutage === true;
  }
}

/** What a gate is to the code around it. Nothing here needs the types of Node. */
import type { Confirmation } from '../authz/types.js';
import type { Auth, GateDecision } from '../fronts/node/auth.js';
import type { GateRequest } from '../fronts/node/front.js';
import type { Logger } from '../ports.js';
import type { ProtectOptions } from './protect-options.js';

/** What a gate takes from its surroundings. */
export interface GateOptions {
  /** For `${env:NAME}` in the configuration. Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What relative paths of the configuration start from. Default: the working directory. */
  readonly folder?: string | undefined;
  /** Gets denials, as `log.decisions` says, and faults. Never a credential. Default: nobody. */
  readonly logger?: Logger | undefined;
}

/** A token that was verified. */
export interface ValidatedToken extends Auth {
  /** base64url SHA-256 of the token: `ath` of a proof. */
  readonly hash: string;
  /** What it must be presented with; for `validateDPoP`. Not checked yet. */
  readonly confirmation: Confirmation | undefined;
}

/** What `validateToken` asks for beside a good token. */
export type TokenRequirements = Pick<ProtectOptions, 'policy' | 'scopes' | 'roles' | 'stepUp'>;

/** What a DPoP proof is presented with. */
export interface DPoPUse {
  readonly method: string;
  /** The absolute URL under which the client sees the service. Trusted in scheme, host and port; query and fragment are not compared. */
  readonly url: string;
  /** The token beside the proof. undefined: there is none yet, as at a token endpoint. */
  readonly token: Pick<ValidatedToken, 'hash' | 'confirmation'> | undefined;
  /** false: the proof is checked and not used up. Default: true */
  readonly spend?: boolean | undefined;
}

/** A DPoP proof that was verified. */
export interface ValidatedProof {
  /** RFC 7638 thumbprint of the proof's key. */
  readonly jkt: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** A nonce to hand out with the answer, where the one used is near its end. */
  readonly freshNonce: string | undefined;
}

/** What an issuer says of a token (RFC 7662 2.2). The claims are verified as far as a signed answer was asked for. */
export type Introspection =
  { readonly active: false } | { readonly active: true; readonly [claim: string]: unknown };

/** What became of a revocation. */
export interface RevocationResult {
  /** Is it refused by this gate from now on? false: `revocation` is not configured. */
  readonly here: boolean;
  /** Did its issuer take it (RFC 7009)? false: we are no client there, or it did not answer. */
  readonly atIssuer: boolean;
}

/** A logout token that was verified. */
export interface LogoutToken {
  readonly issuer: string;
  /** `sub`; at least one of it and `sessionId` is there. */
  readonly subject: string | undefined;
  /** `sid`. */
  readonly sessionId: string | undefined;
  /** For whoever remembers which were taken. */
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
}

/** The key set of an issuer, as `invalidateJwks` left it. */
export type KeySetReport = Readonly<Record<string, unknown>>;

/** A metrics registry of prom-client. */
export interface MetricsRegistry {
  readonly contentType: string;
  /** @returns the exposition format of Prometheus */
  metrics(): Promise<string>;
}

/**
 * Decides on one request.
 *
 * @param read called once; what it throws is answered as a denial
 * @param facts.isProofSpent an earlier decision on this very request has used up its DPoP proof. Trusted
 */
export type Decider = (
  read: () => GateRequest,
  facts?: { readonly isProofSpent?: boolean },
) => GateDecision | Promise<GateDecision>;

/** A gate. Gates share nothing: no cache, no metric, no timer. */
export interface Gate {
  /**
   * Decides on a request: the policies, routes and checks of the configuration, and what the options ask for beyond them.
   * Never rejects because of a request: whatever is wrong with one is a denial.
   *
   * @throws ConfigError for options that cannot be used
   */
  decide(request: GateRequest, options?: ProtectOptions): Promise<GateDecision>;
  /**
   * Makes the decision for options that stay the same; for adapters. It answers at once where nothing has to be waited for.
   *
   * @throws ConfigError for options that cannot be used
   */
  decider(options?: ProtectOptions): Decider;
  /**
   * Verifies a token: form, issuer, signature, claims, times, revocation, and what the requirements ask for. Does not hold it
   * to what it is bound to: that is `decide()`, or `validateDPoP()` with the result. Looks at no route and no policy but the
   * one that is named.
   *
   * @throws TokenRefusedError
   */
  validateToken(token: string, requirements?: TokenRequirements): Promise<ValidatedToken>;
  /**
   * Verifies a DPoP proof by the section `dpop` of the configuration, nonce included, and uses it up.
   *
   * @throws TokenRefusedError; with `nonce` where the client must come again with one
   * @see RFC 9449 section 4.3
   */
  validateDPoP(proof: string, use: DPoPUse): Promise<ValidatedProof>;
  /**
   * Asks the issuer of a token about it, where `introspection` is configured: the one that a JWT names, else by prefix, else
   * the only one. What it says is not held to any policy.
   *
   * @throws TokenRefusedError untrusted_issuer where no such issuer is configured, introspection_unavailable
   * @see RFC 7662
   */
  introspect(token: string): Promise<Introspection>;
  /**
   * Revokes a token: here, so that this gate refuses it from now on, and at its issuer where we are a client.
   *
   * @throws Error where neither is configured, or the store of revocations does not answer
   * @see RFC 7009
   */
  revoke(
    token: string,
    options?: { readonly hint?: 'access_token' | 'refresh_token'; readonly reason?: string },
  ): Promise<RevocationResult>;
  /**
   * Fetches key sets again; tokens are verified again against what comes.
   *
   * @param issuer absent: all
   * @param options.drop true: the old keys do not count even if nothing can be fetched
   * @throws Error where the issuer is not configured
   */
  invalidateJwks(issuer?: string, options?: { readonly drop?: boolean }): Promise<readonly KeySetReport[]>;
  /**
   * Verifies a logout token of an issuer with `logout`. Does not remember it, and ends no session.
   *
   * @throws TokenRefusedError
   * @see OpenID Connect Back-Channel Logout 1.0 section 2.6
   */
  verifyLogoutToken(token: string): Promise<LogoutToken>;
  /** The metrics of this gate alone. Those of the process are left to the process. */
  metrics(): MetricsRegistry;
  /** Can every request be decided? `lacking` names issuers without keys, and stores out of reach. */
  readiness(): { readonly ready: boolean; readonly lacking: readonly string[] };
  /** What works in the configuration, and is probably not what was meant. */
  readonly warnings: readonly string[];
  /** Ends every timer and connection. Decisions after it are denials. */
  close(): Promise<void>;
}

/** What introspection (RFC 7662) is to the rest of the product. Knows no policy and no claim's meaning. */
import type { JsonObject } from '../ports.js';

/** How a client authenticates at the issuer's endpoints (RFC 6749 2.3.1, RFC 7523 2.2, RFC 8705 2). Secrets. */
export type ClientCredential =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: string }
  /** A private JWK with `kid` and `alg`. */
  | { readonly method: 'private_key_jwt'; readonly key: JsonObject }
  /** PEM. */
  | { readonly method: 'tls_client_auth'; readonly cert: string; readonly key: string };

/** `introspection` of an issuer's configuration. Durations are milliseconds. */
export interface IntrospectionSettings {
  /** undefined: `introspection_endpoint` of the issuer's metadata. */
  readonly endpoint: string | undefined;
  readonly clientId: string;
  readonly credential: ClientCredential;
  /** Ask for JWTs as well. */
  readonly always: boolean;
  /** Opaque tokens that begin so are this issuer's. */
  readonly tokenPrefix: string | undefined;
  /** Must the answer have `aud`? */
  readonly audience: 'required' | 'optional';
  /** Only signed answers will do (RFC 9701). */
  readonly signed: boolean;
  readonly cacheTtl: number;
  readonly negativeTtl: number;
  readonly timeout: number;
  /** Calls at once; ten times as many may wait. */
  readonly concurrency: number;
}

/** What the issuer said of a token. Plain data: it may cross to another process. */
export type IntrospectionAnswer =
  | {
      readonly active: true;
      /** The claims as JSON text: an object that the strict reader has read. */
      readonly text: string;
      /** Until when the answer may be used again, milliseconds since the epoch. */
      readonly untilMs: number;
    }
  | { readonly active: false; readonly untilMs: number };

/** Asks one issuer about tokens. */
export interface Introspector {
  readonly issuer: string;
  /**
   * Asks about a token. Who asks about the same token meanwhile gets the same answer.
   *
   * @param token as the client sent it; a secret
   * @param hash SHA-256 of it
   * @throws IntrospectionUnavailableError when there is no answer, or none that can be understood
   */
  introspect(token: string, hash: string): Promise<IntrospectionAnswer>;
}

/** The issuer gave no answer that can be believed. */
export class IntrospectionUnavailableError extends Error {
  override readonly name = 'IntrospectionUnavailableError';
  /**
   * @param issuer from the configuration
   * @param reason one word, for logs
   * @param retryAfterS whole seconds until asking again makes sense
   */
  constructor(
    readonly issuer: string,
    readonly reason: string,
    readonly retryAfterS = 1,
    options?: ErrorOptions,
  ) {
    super(`no introspection by ${issuer}: ${reason}`, options);
  }
}

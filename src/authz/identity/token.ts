/**
 * The identity token: a short JWT of our own that names the caller to the upstream, signed, so that it can be verified
 * after further hops. Shaped after RFC 9068, with `origin_iss` for the issuer of the client's token.
 */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { PublishedKeySet } from '../../signing/key-set.js';
import type { JwtSigner } from '../../signing/signer.js';
import { createKeptValues } from '../kept.js';
import type { VerifiedToken } from '../types.js';

/** What the tokens contain, and how long they are valid. */
export interface IdentityTokenOptions {
  readonly signer: JwtSigner;
  /** `iss`. */
  readonly issuer: string;
  /** `aud`. */
  readonly audience: string;
  /** Life of a token, milliseconds; never past that of the client's token. */
  readonly ttlMs: number;
  /** Tokens that are kept. */
  readonly maxEntries?: number;
  /** `jti`; by default random. */
  readonly randomId?: () => string;
}

/** Issues identity tokens. */
export interface IdentityTokenIssuer {
  /**
   * @param token whose identity is passed on
   * @param nowMs milliseconds since the epoch
   * @returns a compact JWS, the same one until half of its life is over; undefined where the token names nobody
   */
  issue(token: VerifiedToken, nowMs: number): string | undefined;
  /** For /.well-known/jwks.json: every public key, and nothing private. */
  readonly jwks: PublishedKeySet;
}

const DEFAULT_MAX_ENTRIES = 10_000;

interface Issued {
  readonly jwt: string;
  /** The claims that stay the same, as JSON: what introspection says of one token may change. */
  readonly identity: string;
  /** From then on a new one is issued. */
  readonly renewAtMs: number;
}

/**
 * Creates the issuer of identity tokens.
 *
 * @param options trusted
 */
export function createIdentityTokenIssuer(options: IdentityTokenOptions): IdentityTokenIssuer {
  const { signer } = options;
  const randomId = options.randomId ?? randomUUID;
  const byToken = createKeptValues<Issued>();
  const byHash = new LRUCache<string, Issued>({ max: options.maxEntries ?? DEFAULT_MAX_ENTRIES });
  const issueAnew = (token: VerifiedToken, identity: string, nowMs: number): Issued => {
    const iat = Math.floor(nowMs / 1000);
    const exp = Math.floor(Math.min((nowMs + options.ttlMs) / 1000, token.expiresAtS ?? Infinity));
    const times = JSON.stringify({ iat, exp, jti: randomId() });
    const jwt = signer.sign(`${identity.slice(0, -1)},${times.slice(1)}`);
    return { jwt, identity, renewAtMs: nowMs + (exp * 1000 - nowMs) / 2 };
  };
  return {
    jwks: signer.jwks,
    issue(token, nowMs) {
      if (token.subject === undefined && token.clientId === undefined) return undefined;
      const known = byToken.get(token);
      if (known !== undefined && nowMs < known.renewAtMs) return known.jwt;
      const identity = JSON.stringify(claimsOf(token, options));
      let issued = byHash.get(token.hash);
      if (issued?.identity !== identity || nowMs >= issued.renewAtMs)
        issued = issueAnew(token, identity, nowMs);
      byToken.set(token, issued);
      byHash.set(token.hash, issued);
      return issued.jwt;
    },
  };
}

/**
 * A token without `sub` gives none: who may choose a client id could choose a user's `sub` (RFC 9068 section 5).
 */
function claimsOf(token: VerifiedToken, { issuer, audience }: IdentityTokenOptions): Record<string, unknown> {
  return {
    iss: issuer,
    aud: audience,
    sub: token.subject,
    origin_iss: token.issuer,
    client_id: token.clientId,
    scope: token.scopes.size === 0 ? undefined : [...token.scopes].join(' '),
    ...authenticationOf(token),
  };
}

/** RFC 9068 2.2.1, where the claims are present and of the right type. */
function authenticationOf({ claims }: VerifiedToken): Record<string, unknown> {
  const { acr, amr, auth_time: authTime } = claims;
  return {
    acr: typeof acr === 'string' ? acr : undefined,
    amr: Array.isArray(amr) && amr.every((method) => typeof method === 'string') ? amr : undefined,
    auth_time: typeof authTime === 'number' ? authTime : undefined,
  };
}

import type { VerificationKey } from '../jwk/types.js';
import { importPublicJwk } from '../jwk/import-key.js';
import { readJson, splitCompactJws, hasJwsOutline, type JwsSegments } from '../jws/compact.js';
import { readJoseHeader } from '../jws/header.js';
import { JwsRejection } from '../jws/jws-rejection.js';
import { parseStrictJsonText } from '../jws/strict-json.js';
import { verifySignature } from '../jws/verify.js';
import type { SignatureAlgorithm } from '../jwk/types.js';
import type { Clock, JsonObject } from '../ports.js';
import { isSealedOutline, type TokenSealer } from '../signing/sealed-token.js';
import type { JwtSigner } from '../signing/signer.js';

/** What tokens are issued with. */
export interface TokenIssuerOptions {
  /** `tokens.issuer` */
  readonly issuer: string;
  /** `tokens.audiences` */
  readonly audiences: readonly string[];
  /** `tokens.ttl`, milliseconds. */
  readonly ttlMs: number;
  readonly format: 'jwt' | 'sealed';
  readonly signer: JwtSigner;
  /** undefined: no sealing secret is configured. */
  readonly sealer: TokenSealer | undefined;
  readonly clock: Clock;
  /** `jti` */
  readonly randomId: () => string;
}

/** What a token is to say. */
export interface TokenGrant {
  readonly subject: string;
  /** The tokenId of the personal access token behind it, or the client of an assertion. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Of `tokens.audiences`; undefined: all. */
  readonly audience?: string | undefined;
  /** The token ends by then, seconds since the epoch. */
  readonly notAfterS?: number | undefined;
  /** At most that long, milliseconds. */
  readonly ttlMs?: number | undefined;
  /** owner, admin, roles, session, act: as they are to stand in the token; undefined members are left out. */
  readonly claims?: JsonObject;
  /** The key that the token is bound to (RFC 9449 6.1). */
  readonly jkt?: string | undefined;
}

/** A token that was issued. */
export interface IssuedToken {
  /** A secret. */
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly expiresInS: number;
}

/** Issues access tokens of our own, and reads them back. */
export interface TokenIssuer {
  /**
   * Issues a token.
   *
   * @returns undefined where it would have expired already
   * @see RFC 9068 section 2.2
   */
  issue(grant: TokenGrant): IssuedToken | undefined;
  /**
   * Reads a token of our own, of either format: authentic, for one of our audiences, and not expired, without any
   * tolerance. Does not look at binding and revocation.
   *
   * @param text untrusted
   * @returns undefined where it is not one
   */
  read(text: string): JsonObject | undefined;
}

const MAX_TOKEN_BYTES = 16_384;

/** Creates the issuer of access tokens. */
export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  const { issuer, audiences, signer, sealer, clock } = options;
  if (options.format === 'sealed' && sealer === undefined) throw new TypeError('sealed tokens need a sealer');
  const keys = signer.jwks.keys.map((jwk) => importPublicJwk(jwk));
  const encode = (payload: string): string =>
    options.format === 'sealed' && sealer !== undefined ? sealer.seal(payload) : signer.sign(payload);
  const open = (text: string): JsonObject | undefined =>
    isSealedOutline(text) ? openSealed(text, sealer) : openJwt(text, keys);

  return {
    issue(grant) {
      const iat = Math.floor(clock.now() / 1000);
      const ttlS = Math.floor(Math.min(options.ttlMs, grant.ttlMs ?? Infinity) / 1000);
      const exp = Math.floor(Math.min(iat + ttlS, grant.notAfterS ?? Infinity));
      if (exp <= iat) return undefined;
      const accessToken = encode(
        JSON.stringify({
          iss: issuer,
          sub: grant.subject,
          aud: grant.audience ?? (audiences.length === 1 ? audiences[0] : audiences),
          client_id: grant.clientId,
          iat,
          exp,
          jti: options.randomId(),
          scope: grant.scopes.length === 0 ? undefined : grant.scopes.join(' '),
          ...grant.claims,
          cnf: grant.jkt === undefined ? undefined : { jkt: grant.jkt },
        }),
      );
      return { accessToken, tokenType: grant.jkt === undefined ? 'Bearer' : 'DPoP', expiresInS: exp - iat };
    },
    read(text) {
      const claims = open(text);
      // Identity tokens for upstreams are signed with the same key, for another audience.
      if (claims?.iss !== issuer || !isFor(claims.aud, audiences)) return undefined;
      return typeof claims.exp === 'number' && clock.now() < claims.exp * 1000 ? claims : undefined;
    },
  };
}

function isFor(aud: unknown, audiences: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.some((one) => typeof one === 'string' && audiences.includes(one));
}

function openSealed(text: string, sealer: TokenSealer | undefined): JsonObject | undefined {
  const payload = sealer?.open(text);
  return payload === undefined ? undefined : parseStrictJsonText(payload);
}

function openJwt(text: string, keys: readonly VerificationKey[]): JsonObject | undefined {
  if (!hasJwsOutline(text)) return undefined;
  try {
    const jws = splitCompactJws(text, MAX_TOKEN_BYTES);
    return isOurs(jws, keys) ? readJson(jws.payload) : undefined;
  } catch (error) {
    if (error instanceof JwsRejection) return undefined;
    throw error;
  }
}

function isOurs(jws: JwsSegments, keys: readonly VerificationKey[]): boolean {
  const { alg, kid, typ } = readJoseHeader(readJson(jws.header));
  if (typ !== 'at+jwt') return false;
  const key = keys.find((one) => one.kid === kid);
  return key !== undefined && verifySignature(jws, key, alg as SignatureAlgorithm);
}

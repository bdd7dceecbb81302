/**
 * The identity token: a short JWT of our own that tells the upstream who is calling, signed, so that it can be verified
 * behind further hops. Shaped after RFC 9068, with `origin_iss` for the issuer of the client's token.
 */
import {
  createPrivateKey,
  createPublicKey,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createKeptValues } from '../token/kept.js';
import type { VerifiedToken } from '../types.js';

/** A signing key set as `portcullis keys generate` prints it. */
export interface SigningKeySet {
  readonly active_kid: string;
  readonly private_keys: readonly Readonly<Record<string, unknown>>[];
  /** All that a verifier may need: keys of yesterday and of tomorrow too, so that a rotation has an overlap. */
  readonly public_keys: readonly Readonly<Record<string, unknown>>[];
}

/** What the tokens say, and how long. */
export interface IdentityTokenOptions {
  readonly keys: SigningKeySet;
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

/** Makes identity tokens. */
export interface IdentityTokenIssuer {
  /**
   * @param token whose identity is told
   * @param nowMs milliseconds since the epoch
   * @returns a compact JWS, the same one until half of its life is over; undefined where the token names nobody
   */
  issue(token: VerifiedToken, nowMs: number): string | undefined;
  /** For /.well-known/jwks.json: every public key, and nothing private. */
  readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
}

/** A key set that can not be signed with. The message names the member, never its value. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

const DEFAULT_MAX_ENTRIES = 10_000;
const MIN_RSA_BITS = 2048;

interface Issued {
  readonly jwt: string;
  /** The claims that stay the same, as JSON: what introspection says of one token may change. */
  readonly identity: string;
  /** From then on a new one is made. */
  readonly renewAtMs: number;
}

/**
 * @param options trusted
 * @throws SigningKeyError where the active key is missing, unusable or not published
 */
export function createIdentityTokenIssuer(options: IdentityTokenOptions): IdentityTokenIssuer {
  const jwks = publicJwksOf(options.keys);
  const signer = createSigner(options.keys);
  const randomId = options.randomId ?? randomUUID;
  const byToken = createKeptValues<Issued>();
  const byHash = new LRUCache<string, Issued>({ max: options.maxEntries ?? DEFAULT_MAX_ENTRIES });
  const issueAnew = (token: VerifiedToken, identity: string, nowMs: number): Issued => {
    const iat = Math.floor(nowMs / 1000);
    const exp = Math.floor(Math.min((nowMs + options.ttlMs) / 1000, token.expiresAtS));
    const times = JSON.stringify({ iat, exp, jti: randomId() });
    const jwt = signer(`${identity.slice(0, -1)},${times.slice(1)}`);
    return { jwt, identity, renewAtMs: nowMs + (exp * 1000 - nowMs) / 2 };
  };
  return {
    jwks,
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

/** `sub` of a client that acts for itself is the client (RFC 9068 2.2). */
function claimsOf(token: VerifiedToken, { issuer, audience }: IdentityTokenOptions): Record<string, unknown> {
  return {
    iss: issuer,
    aud: audience,
    sub: token.subject ?? token.clientId,
    origin_iss: token.issuer,
    client_id: token.clientId,
    scope: token.scopes.size === 0 ? undefined : [...token.scopes].join(' '),
    ...authenticationOf(token),
  };
}

/** RFC 9068 2.2.1, where the issuer said so and in the right type. */
function authenticationOf({ claims }: VerifiedToken): Record<string, unknown> {
  const { acr, amr, auth_time: authTime } = claims;
  return {
    acr: typeof acr === 'string' ? acr : undefined,
    amr: Array.isArray(amr) && amr.every((method) => typeof method === 'string') ? amr : undefined,
    auth_time: typeof authTime === 'number' ? authTime : undefined,
  };
}

// ---- signing ---------------------------------------------------------------------------------------------------------

type Jwk = Readonly<Record<string, unknown>>;

/** How node:crypto signs for an algorithm. */
const DIGESTS = { EdDSA: null, ES256: 'sha256', RS256: 'sha256' } as const;
type SigningAlgorithm = keyof typeof DIGESTS;

/** @returns a function from payload to compact JWS */
function createSigner(keys: SigningKeySet): (payload: string) => string {
  const { active_kid: kid } = keys;
  const jwk = keys.private_keys.find((key) => key.kid === kid);
  if (jwk === undefined) throw new SigningKeyError('active_kid names no private key');
  const alg = algorithmOf(jwk);
  const key = privateKeyOf(jwk);
  assertPublished(key, keys);
  const header = base64url(JSON.stringify({ alg, typ: 'at+jwt', kid }));
  return (payload) => {
    const input = `${header}.${base64url(payload)}`;
    const signature = sign(DIGESTS[alg], Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

function algorithmOf({ kty, crv, alg }: Jwk): SigningAlgorithm {
  const byType =
    kty === 'RSA' ? 'RS256' : crv === 'Ed25519' ? 'EdDSA' : crv === 'P-256' ? 'ES256' : undefined;
  if (byType === undefined) throw new SigningKeyError('the active key is neither Ed25519, P-256 nor RSA');
  const named = alg === 'Ed25519' ? 'EdDSA' : alg;
  if (named !== undefined && named !== byType)
    throw new SigningKeyError('the alg of the active key is not supported');
  return byType;
}

function privateKeyOf(jwk: Jwk): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    // The library's message may quote the key.
    throw new SigningKeyError('the active private key can not be read');
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS)
    throw new SigningKeyError(`an RSA key needs ${MIN_RSA_BITS} bits`);
  return key;
}

/** Nobody could verify what is signed with a key that is not published. */
function assertPublished(key: KeyObject, { active_kid: kid, public_keys: published }: SigningKeySet): void {
  const { x, y, n, e } = createPublicKey(key).export({ format: 'jwk' });
  const isSame = (jwk: Jwk): boolean => jwk.x === x && jwk.y === y && jwk.n === n && jwk.e === e;
  if (!published.some((jwk) => jwk.kid === kid && isSame(jwk))) {
    throw new SigningKeyError('the active key is not among public_keys');
  }
}

/** Private members are left behind one by one, not by trusting the file. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg'] as const;
const PUBLIC_TYPES = new Set<unknown>(['OKP', 'EC', 'RSA']);

/**
 * The public keys of a set, as they are published.
 *
 * @param keys from a file of the operator's
 * @returns frozen; `use` is `sig`
 * @throws SigningKeyError for a key that is not public by its type
 */
export function publicJwksOf(keys: SigningKeySet): IdentityTokenIssuer['jwks'] {
  const published = keys.public_keys.map((jwk) => {
    if (!PUBLIC_TYPES.has(jwk.kty)) throw new SigningKeyError('public_keys holds a key that is not public');
    const members = PUBLIC_MEMBERS.filter((member) => jwk[member] !== undefined);
    return Object.freeze({
      ...Object.fromEntries(members.map((member) => [member, jwk[member]])),
      use: 'sig',
    });
  });
  return Object.freeze({ keys: Object.freeze(published) });
}

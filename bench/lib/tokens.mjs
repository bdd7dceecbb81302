/** Keys, access tokens and DPoP proofs, minted on the spot and many at a time. */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';

const kinds = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};

/** @param {'RS256' | 'ES256' | 'EdDSA'} alg */
export function createKey(alg, kid = `${alg}-${randomBytes(6).toString('hex')}`) {
  const { privateKey } = generateKeyPairSync(...kinds[alg]);
  const publicKey = createPublicKey(privateKey);
  return {
    alg,
    kid,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
  };
}

const json = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const digestOf = (alg) => (alg === 'EdDSA' ? null : 'sha256');
const keyOf = (alg, key) => (alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);

/** A compact JWS. @param {string} head already encoded @param {object} payload */
export function signJws(head, payload, key) {
  const input = `${head}.${json(payload)}`;
  const signature = sign(digestOf(key.alg), Buffer.from(input), keyOf(key.alg, key.privateKey));
  return `${input}.${signature.toString('base64url')}`;
}

/** The protected header of an access token. */
export const tokenHeader = (key) => json({ alg: key.alg, typ: 'at+jwt', kid: key.kid });

/** Claims of a usual access token, always of the same length; `over` changes or adds some. */
export function tokenClaims(issuer, over = {}) {
  const nowS = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    aud: 'https://api.example.com',
    sub: `user-${randomBytes(8).toString('hex')}`,
    client_id: 'web-frontend',
    scope: 'openid profile orders:read orders:write',
    roles: ['customer', 'beta'],
    tenant: 'acme',
    iat: nowS - 5,
    exp: nowS + 4 * 3600,
    jti: randomBytes(16).toString('hex'),
    ...over,
  };
}

/** One access token. */
export const createToken = (issuer, key, over) => signJws(tokenHeader(key), tokenClaims(issuer, over), key);

/** The same token with one bit of the signature turned; well-formed in every other way. */
export function withBadSignature(token) {
  const at = token.lastIndexOf('.') + 20;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

const thumbprintMembers = {
  ES256: ['crv', 'kty', 'x', 'y'],
  EdDSA: ['crv', 'kty', 'x'],
  RS256: ['e', 'kty', 'n'],
};
const publicMembers = ({ alg, jwk }) =>
  Object.fromEntries(thumbprintMembers[alg].map((name) => [name, jwk[name]]));
const sha256 = (text) => createHash('sha256').update(text).digest('base64url');

/** RFC 7638. */
export const thumbprint = (key) => sha256(JSON.stringify(publicMembers(key)));

/** Makes proofs for one token and target. @returns {(nonce?: string) => string} a fresh proof each time */
export function proofMaker(key, { token, method, target }) {
  const head = json({ typ: 'dpop+jwt', alg: key.alg, jwk: publicMembers(key) });
  const ath = sha256(token);
  return (nonce) => {
    const iat = Math.floor(Date.now() / 1000);
    const jti = randomBytes(12).toString('base64url');
    return signJws(head, { jti, htm: method, htu: target, iat, ath, ...(nonce ? { nonce } : {}) }, key);
  };
}

/**
 * What one signature check costs by itself, with node:crypto and a key that is kept: the yardstick of the targets.
 * @returns {number} microseconds of processor time
 */
export function rawVerifyUs(key, repetitions) {
  const token = createToken('https://login.example.com', key);
  const end = token.lastIndexOf('.');
  const [input, signature] = [
    Buffer.from(token.slice(0, end)),
    Buffer.from(token.slice(end + 1), 'base64url'),
  ];
  const before = process.cpuUsage();
  for (let i = 0; i < repetitions; i++) {
    if (!verify(digestOf(key.alg), input, keyOf(key.alg, key.publicKey), signature))
      throw new Error('bad signature');
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / repetitions;
}

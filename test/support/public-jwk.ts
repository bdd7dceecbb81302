import { createPublicKey, generateKeyPairSync } from 'node:crypto';

/** A fresh public key as a JWK, with the members that are given. */
export function publicJwk(members: object = {}, kind: 'EC' | 'OKP' | 'RSA' = 'EC'): Record<string, unknown> {
  return { ...createPublicKey(generate(kind)).export({ format: 'jwk' }), ...members };
}

/** A fresh private key as a JWK: what nobody should publish. */
export function privateJwk(members: object = {}): Record<string, unknown> {
  return { ...generate('EC').export({ format: 'jwk' }), ...members };
}

function generate(kind: 'EC' | 'OKP' | 'RSA') {
  if (kind === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return kind === 'EC'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    : generateKeyPairSync('ed25519').privateKey;
}

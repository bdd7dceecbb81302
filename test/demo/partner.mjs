// @ts-check
/** A client that signs its own tokens. */
import { createHash, createPrivateKey, randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';
import { DEMO_AUDIENCE, DEMO_PARTNER } from './clients.mjs';

/** Ed25519 in PKCS #8 (RFC 8410 7), up to the 32 bytes of the key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * A key that everybody can know, like the secrets of the other clients: its public half is in the repository.
 * @returns {import('node:crypto').KeyObject}
 */
export function demoPartnerKey() {
  const seed = createHash('sha256').update('the demo partner, and nobody else').digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

/**
 * @param {Record<string, unknown>} [claims] more of the token
 * @param {import('node:crypto').KeyObject | import('jose').CryptoKey} [key] whose signature it has
 * @returns {Promise<string>}
 */
export function signAsPartner(claims = {}, key = demoPartnerKey()) {
  return new SignJWT({ client_id: DEMO_PARTNER.id, sub: DEMO_PARTNER.id, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
    .setIssuer(DEMO_PARTNER.issuer)
    .setAudience(DEMO_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(key);
}

/** @returns {Promise<string>} a token in the partner's name, by a key of somebody else */
export async function forgePartner() {
  const { privateKey } = await generateKeyPair('EdDSA');
  return signAsPartner({}, privateKey);
}

/**
 * @param {string} audience the token endpoint's issuer
 * @returns {Promise<string>} an assertion with which the partner asks for a token (RFC 7523)
 */
export function assertAsPartner(audience) {
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer(DEMO_PARTNER.id)
    .setSubject(DEMO_PARTNER.id)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(demoPartnerKey());
}

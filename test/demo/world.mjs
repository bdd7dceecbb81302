// @ts-check
/** What the demo's rows share: tokens, keys, and a way to send. */
import { setTimeout as delay } from 'node:timers/promises';
import { generateKeyPair, SignJWT, decodeJwt } from 'jose';
import { createCertificate } from '../support/certificates.mjs';
import { DEMO_SIGN_OUT } from './clients.mjs';
import { createOwnTokens } from './own-tokens.mjs';
import { createDpopKey, createRevoker, createTokenSource, request } from './oauth-client.mjs';
import { forgePartner, signAsPartner } from './partner.mjs';

/** Longer than an answer about a token counts. */
const ANSWER_TTL_MS = 1_500;

/**
 * @typedef {Awaited<ReturnType<typeof createWorld>>} World
 */

/**
 * Asks the authorization servers for every token the rows need.
 * @param {{ gate: string, issuer: string, foreignIssuer: string, admin?: string, publicUrl?: string, adminToken?: string }} urls
 *   the last three: where Portcullis can be asked itself
 */
export async function createWorld(urls) {
  const token = await createTokenSource(urls.issuer);
  const revoke = await createRevoker(urls.issuer);
  const foreignToken = await createTokenSource(urls.foreignIssuer);
  const hasty = await token('hasty', { scope: 'orders:read' });
  const dpopKey = await createDpopKey();
  const { der: certificate } = createCertificate('bank');
  const tokens = {
    reader: await token('reader', { scope: 'orders:read' }),
    writer: await token('writer', { scope: 'orders:read orders:write' }),
    admin: await token('admin', { scope: 'orders:read' }),
    foreign: await foreignToken('reader', { scope: 'orders:read' }),
    payerUnbound: await token('payer', { scope: 'payments' }),
    payer: await token('payer', { scope: 'payments', dpop: dpopKey }),
    bank: await token('bank', { scope: 'orders:read', certificate }),
    hasty,
    opaque: await token('opaque', { scope: 'orders:read' }),
    session: await token('web-app', { scope: 'orders:read' }),
    lost: await token('lost-laptop', { scope: 'orders:read' }),
    partner: await signAsPartner({ session: { tenant: 'root' } }),
    forgedPartner: await forgePartner(),
  };
  const { admin, publicUrl, adminToken } = urls;
  return {
    own:
      admin && publicUrl && adminToken ? await createOwnTokens({ admin, publicUrl, adminToken }) : undefined,
    /** Of our own token endpoint. */
    issued: { robot: '', partner: '', agent: '' },
    signOut: () => request(urls.issuer + DEMO_SIGN_OUT, { method: 'POST' }),
    gate: urls.gate,
    tokens: { ...tokens, tampered: tamper(tokens.reader), forged: await forge(tokens.reader) },
    dpopKey,
    thiefKey: await createDpopKey(),
    /** The headers of the request with the good proof, for its replay. @type {Record<string, string>} */
    spent: {},
    /** @param {string} path @param {Parameters<typeof request>[1]} [init] */
    send: (path, init) => request(`${urls.gate}${path}`, init),
    untilExpired: () => expiry(hasty),
    revokeOpaque: async () => {
      await revoke('opaque', tokens.opaque);
      await delay(ANSWER_TTL_MS);
    },
  };
}

/**
 * @param {string} token
 * @returns {string} the same with another subject, under the old signature
 */
function tamper(token) {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'root' })).toString('base64url');
  return [header, payload, signature].join('.');
}

/**
 * @param {string} token
 * @returns {Promise<string>} the same claims, and issuer, signed with a key of our own under the issuer's kid
 */
async function forge(token) {
  const { privateKey } = await generateKeyPair('ES256');
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'demo-1' };
  return new SignJWT({ ...decodeJwt(token), sub: 'root' }).setProtectedHeader(header).sign(privateKey);
}

/**
 * Waits until a token of a one-second lifetime has expired.
 * @param {string} token
 */
async function expiry(token) {
  const { exp = 0 } = decodeJwt(token);
  await delay(Math.max(0, (exp + 1) * 1_000 - Date.now()));
}

// @ts-check
/** A gate in a runtime: it allows a good token, refuses a forged one, and ends. */
import { generateKeyPairSync, sign } from 'node:crypto';

const ISSUER = 'https://login.example.com';

const { createGate } = await import('portcullis');
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'a', alg: 'ES256' };
const gate = await createGate({ issuers: [{ issuer: ISSUER, audiences: ['x'], jwks: { keys: [jwk] } }] });

/** @param {object} part */
const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
const iat = Math.floor(Date.now() / 1000);
const claims = { iss: ISSUER, aud: 'x', sub: 'alice', client_id: 'c', jti: '1', iat, exp: iat + 60 };
const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'a' })}.${encode(claims)}`;
const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });

/** @param {Uint8Array} bytes */
const ask = async (bytes) => {
  const token = `${input}.${Buffer.from(bytes).toString('base64url')}`;
  const headers = /** @type {const} */ ([['authorization', `Bearer ${token}`]]);
  const decision = await gate.decide({ method: 'GET', target: '/', host: 'api.example.com', headers });
  return decision.allowed ? decision.auth?.subject : decision.code;
};
console.log(await ask(signature), await ask(signature.map((byte) => byte ^ 1)));
await gate.close();

// @ts-check
/** X.509 certificates made on the spot (P-256, a day long), so that tests need no stored keys and no openssl. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const DAY_MS = 86_400_000;
const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';
const SUBJECT_ALT_NAME = '2.5.29.17';

/**
 * @typedef {object} Certificate
 * @property {string} certificate PEM
 * @property {string} privateKey PEM, PKCS #8
 * @property {Buffer} der
 * @property {import('node:crypto').KeyObject} key
 * @property {Buffer} name the subject, DER
 */

/**
 * @param {number} tag
 * @param {...Buffer} parts
 * @returns {Buffer} one DER element
 */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

/** @param {string} dotted */
function objectId(dotted) {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const base128 = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) base128.unshift((left & 0x7f) | 0x80);
    bytes.push(...base128);
  }
  return der(0x06, Buffer.from(bytes));
}

/** @param {string} commonName */
const distinguishedName = (commonName) =>
  der(SEQUENCE, der(SET, der(SEQUENCE, objectId(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));

/** @param {number} ms since the epoch */
const utcTime = (ms) =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));

/**
 * @param {string} id
 * @param {Buffer} value
 */
const extension = (id, value) => der(SEQUENCE, objectId(id), der(0x04, value));

/** @param {boolean} isAuthority */
function extensions(isAuthority) {
  const constraints = isAuthority ? der(0x01, Buffer.from([0xff])) : Buffer.alloc(0);
  const localhost = der(0x82, Buffer.from('localhost'));
  const loopback = der(0x87, Buffer.from([127, 0, 0, 1]));
  return der(
    0xa3,
    der(
      SEQUENCE,
      extension(BASIC_CONSTRAINTS, der(SEQUENCE, constraints)),
      extension(SUBJECT_ALT_NAME, der(SEQUENCE, localhost, loopback)),
    ),
  );
}

/**
 * @param {string} commonName
 * @param {Certificate} [issuer] default: signed by its own key, as an authority
 * @returns {Certificate} for localhost and 127.0.0.1
 */
export function createCertificate(commonName, issuer) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName(commonName);
  const algorithm = der(SEQUENCE, objectId(ECDSA_WITH_SHA256));
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    issuer?.name ?? name,
    der(SEQUENCE, utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions(issuer === undefined),
  );
  const signature = sign('sha256', body, issuer?.key ?? privateKey);
  const bytes = der(SEQUENCE, body, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    certificate: toPem(bytes),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der: bytes,
    key: privateKey,
    name,
  };
}

/** @param {Buffer} bytes */
const toPem = (bytes) =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

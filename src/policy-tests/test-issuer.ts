/** Issuers with keys of the run's own: their tokens are good here, and nowhere else. */
import {
  createHmac,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
  type SignKeyObjectInput,
} from 'node:crypto';
import type { IssuerConfig } from '../config/config.js';
import type { AsymmetricAlgorithm, SignatureAlgorithm, SymmetricAlgorithm } from '../jwk/types.js';
import type { StaticSource } from '../jwks/key-source.js';
import { parseStaticKeys, StaticIssuerKeys } from '../jwks/static-keys.js';
import type { IssuerKeys } from '../jwks/types.js';

/** An issuer of the configuration whose key is replaced. */
export interface TestIssuer {
  readonly keys: IssuerKeys;
  /** @returns a compact JWS with `typ: at+jwt` */
  mint(claims: object): string;
}

const KID = 'portcullis-test';
const SECRET_BYTES = 64;
/** Quick ones first. */
const PREFERRED: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'ES384', 'ES512', 'RS256', 'PS256'];
const CURVES: Partial<Record<AsymmetricAlgorithm, string>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
};
const RSA_BITS = 2048;

/** Creates the stand-in for an issuer: one new key of an algorithm that the issuer may use. */
export function createTestIssuer(
  { issuer, algorithms }: Pick<IssuerConfig, 'issuer' | 'algorithms'>,
  generation: number,
): TestIssuer {
  const alg = PREFERRED.find((one) => algorithms.includes(one)) ?? algorithms[0] ?? 'ES256';
  const { source, signText } = createKey(alg);
  const header = base64url({ alg, typ: 'at+jwt', kid: KID });
  return {
    keys: new StaticIssuerKeys(issuer, parseStaticKeys(source), generation),
    mint(claims) {
      const input = `${header}.${base64url(claims)}`;
      return `${input}.${signText(Buffer.from(input)).toString('base64url')}`;
    },
  };
}

/** A key for DPoP proofs. */
export interface ProofSigner {
  readonly jwk: object;
  mint(claims: object): string;
}

/** Creates a key for proofs of possession (RFC 9449 4.2), ES256. */
export function createProofSigner(): ProofSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { kty, crv, x, y };
  const header = base64url({ alg: 'ES256', typ: 'dpop+jwt', jwk });
  return {
    jwk,
    mint(claims) {
      const input = `${header}.${base64url(claims)}`;
      return `${input}.${signBytes('ES256', privateKey, Buffer.from(input)).toString('base64url')}`;
    },
  };
}

interface SigningKey {
  readonly source: StaticSource;
  readonly signText: (input: Buffer) => Buffer;
}

function createKey(alg: SignatureAlgorithm): SigningKey {
  if (alg.startsWith('HS')) {
    const secret = randomBytes(SECRET_BYTES).toString('hex');
    return {
      source: { kind: 'keys', keys: [{ kid: KID, alg: alg as SymmetricAlgorithm, secret }] },
      signText: (input) =>
        createHmac(`sha${alg.slice(2)}`, secret)
          .update(input)
          .digest(),
    };
  }
  const { privateKey, publicKey } = generatePair(alg as AsymmetricAlgorithm);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KID, alg, use: 'sig' };
  return {
    source: { kind: 'jwks', jwks: { keys: [jwk] } },
    signText: (input) => signBytes(alg as AsymmetricAlgorithm, privateKey, input),
  };
}

function generatePair(alg: AsymmetricAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  const namedCurve = CURVES[alg];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  return alg === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('rsa', { modulusLength: RSA_BITS });
}

function signBytes(alg: AsymmetricAlgorithm, key: KeyObject, input: Buffer): Buffer {
  if (alg === 'EdDSA') return sign(null, input, key);
  const options: SignKeyObjectInput = { key };
  if (alg.startsWith('ES')) options.dsaEncoding = 'ieee-p1363';
  // RSA_PKCS1_PSS_PADDING with a salt as long as the hash (RFC 7518 3.5).
  if (alg.startsWith('PS')) Object.assign(options, { padding: 6, saltLength: -1 });
  return sign(`sha${alg.slice(2)}`, input, options);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

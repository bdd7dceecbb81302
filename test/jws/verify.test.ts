import { sign, constants, createSecretKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { compactVerify, CompactSign } from 'jose';
import { importSecret } from '../../src/jwk/import-key.js';
import {
  ASYMMETRIC_ALGORITHMS,
  SYMMETRIC_ALGORITHMS,
  type SignatureAlgorithm,
  type VerificationKey,
} from '../../src/jwk/types.js';
import { verifySignature } from '../../src/jws/verify.js';
import { signText, testKey } from '../support/tokens.js';

const TEXT = 'eyJhbGciOiJ4In0.e30';
const secret = Buffer.alloc(64, 7);

function keyOf(alg: SignatureAlgorithm): { verification: VerificationKey; sign: (text: string) => Buffer } {
  if (alg.startsWith('HS')) {
    const verification = importSecret(secret, alg as 'HS256');
    return { verification, sign: (text) => signText(alg, secret, text) };
  }
  const key = testKey(alg as 'RS256');
  return { verification: key.verification, sign: (text) => signText(alg, key.privateKey, text) };
}

const ALL = [...ASYMMETRIC_ALGORITHMS, ...SYMMETRIC_ALGORITHMS];
const check = (alg: SignatureAlgorithm, signature: Uint8Array, signingInput = TEXT): boolean =>
  verifySignature({ signingInput, signature }, keyOf(alg).verification, alg);

describe('verifySignature()', () => {
  test.each(ALL)('takes what jose signed with %s', async (alg) => {
    const key = alg.startsWith('HS') ? createSecretKey(secret) : testKey(alg as 'RS256').privateKey;
    const jws = await new CompactSign(Buffer.from('{"a":1}')).setProtectedHeader({ alg }).sign(key);
    const [header = '', payload = '', signature = ''] = jws.split('.');
    expect(check(alg, Buffer.from(signature, 'base64url'), `${header}.${payload}`)).toBe(true);
  });

  test.each(ALL)('agrees with jose on good and altered signatures of %s', async (alg) => {
    const key = alg.startsWith('HS') ? createSecretKey(secret) : testKey(alg as 'RS256').publicKey;
    const input = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.e30`;
    const good = keyOf(alg).sign(input);
    const altered = [0, 1, good.length >> 1, good.length - 1].map((at) => flip(good, at));
    for (const signature of [good, ...altered, Buffer.alloc(good.length), Buffer.alloc(good.length, 0xff)]) {
      const judged = await compactVerify(`${input}.${signature.toString('base64url')}`, key).then(
        () => true,
        () => false,
      );
      expect(check(alg, signature, input)).toBe(judged);
    }
    expect(check(alg, good, input)).toBe(true);
  });

  test.each(ALL)('refuses another text under %s', (alg) => {
    expect(check(alg, keyOf(alg).sign(TEXT), `${TEXT}x`)).toBe(false);
  });

  test.each(ALL)('refuses signatures of another length under %s, before any cryptography', (alg) => {
    const good = keyOf(alg).sign(TEXT);
    const others = [Buffer.alloc(0), good.subarray(1), good.subarray(0, -1)];
    others.push(Buffer.concat([good, Buffer.alloc(1)]), Buffer.concat([Buffer.alloc(1), good]));
    for (const signature of others) expect(check(alg, signature)).toBe(false);
  });

  test.each(['ES256', 'ES384', 'ES512'] as const)('refuses a DER signature of %s', (alg) => {
    const der = sign(`sha${alg.slice(2)}`, Buffer.from(TEXT), testKey(alg).privateKey);
    expect(check(alg, der)).toBe(false);
  });

  test('refuses r or s that is zero or the order of the group', () => {
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const good = keyOf('ES256').sign(TEXT);
    const zero = Buffer.alloc(32);
    for (const half of [zero, order]) {
      expect(check('ES256', Buffer.concat([half, half]))).toBe(false);
      expect(check('ES256', Buffer.concat([half, good.subarray(32)]))).toBe(false);
      expect(check('ES256', Buffer.concat([good.subarray(0, 32), half]))).toBe(false);
    }
  });

  test('refuses an Ed25519 signature whose S was raised by the order', () => {
    const good = keyOf('EdDSA').sign(TEXT);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`) + order;
    const raised = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    expect(check('EdDSA', Buffer.concat([good.subarray(0, 32), raised]))).toBe(false);
  });

  test.each([0, 20, 64, constants.RSA_PSS_SALTLEN_MAX_SIGN])(
    'refuses a PS256 salt of length %s',
    (saltLength) => {
      const options = {
        key: testKey('PS256').privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength,
      };
      expect(check('PS256', sign('sha256', Buffer.from(TEXT), options))).toBe(false);
    },
  );

  describe('refuses to use a key with an algorithm that is not its own', () => {
    const pairs: [SignatureAlgorithm, SignatureAlgorithm][] = [
      ['RS256', 'PS256'],
      ['RS256', 'RS512'],
      ['PS256', 'RS256'],
      ['ES256', 'ES384'],
      ['EdDSA', 'ES256'],
      ['HS256', 'HS512'],
      ['HS256', 'RS256'],
    ];
    test.each(pairs)('%s for %s', (alg, other) => {
      const { verification, sign: signWith } = keyOf(alg);
      expect(verifySignature({ signingInput: TEXT, signature: signWith(TEXT) }, verification, other)).toBe(
        false,
      );
    });
  });

  describe('with a key that claims what it is not', () => {
    let pem: string;
    beforeAll(() => {
      pem = testKey('RS256').publicKey.export({ type: 'spki', format: 'pem' }) as string;
    });

    test('never turns a public key into an HMAC secret', () => {
      const key = { ...testKey('RS256').verification, algorithms: ['HS256', 'RS256'] as const };
      for (const material of [pem, pem.trimEnd(), testKey('RS256').jwk.n!]) {
        const signature = signText('HS256', Buffer.from(material), TEXT);
        expect(verifySignature({ signingInput: TEXT, signature }, key, 'HS256')).toBe(false);
      }
    });

    test('never turns a secret into a public key', () => {
      const key = { ...importSecret(Buffer.from(pem), 'HS256'), algorithms: ['RS256'] as const };
      const signature = signText('RS256', testKey('RS256').privateKey, TEXT);
      expect(verifySignature({ signingInput: TEXT, signature }, key, 'RS256')).toBe(false);
    });
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

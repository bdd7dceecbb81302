/** A row for each way in which gates like this one were broken. Every row is judged with the cache off and on, twice. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { DenialCode } from '../../../src/authz/denial.js';
import type { TokenIssuer } from '../../../src/authz/token/jwt-issuer.js';
import { importSecret } from '../../../src/jwk/import-key.js';
import type { SignatureAlgorithm } from '../../../src/jwk/types.js';
import { denialOf } from '../../support/denials.js';
import { testCache, testVerifier, tokenIssuer } from '../../support/token-issuers.js';
import {
  accessClaims,
  AUDIENCE,
  createTestKey,
  ISSUER,
  mintToken,
  NOW_S,
  replaceSegment,
  segment,
  signJws,
  signText,
  TestIssuerKeys,
  testKey,
} from '../../support/tokens.js';

const OTHER = 'https://other.example.com';
const attacker = createTestKey('ES256', 'ES256-1');
const rs = testKey('RS256');
const es = testKey('ES256');
const ed = testKey('EdDSA');
const all = [rs, testKey('PS256'), es, testKey('ES384'), testKey('ES512'), ed];

/** Two issuers with keys of the same kid, which are not the same keys. */
const issuers = (): readonly TokenIssuer[] => [
  tokenIssuer({
    keys: new TestIssuerKeys(
      ISSUER,
      all.map((key) => key.verification),
    ),
  }),
  tokenIssuer({ keys: new TestIssuerKeys(OTHER, [attacker.verification]) }),
];

interface Row {
  readonly name: string;
  readonly token: () => string;
  readonly code: DenialCode;
  readonly issuers?: () => readonly TokenIssuer[];
}

const row = (name: string, code: DenialCode, token: () => string, more: Partial<Row> = {}): Row => ({
  name,
  code,
  token,
  ...more,
});

const good = () => mintToken();
const pem = rs.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const unsigned = (alg: unknown, signature = 'AAAA'): string =>
  `${segment({ alg, typ: 'at+jwt' })}.${segment(accessClaims())}.${signature}`;
const json = (text: string): string => mintToken({ rawPayload: text });
/** The claims of a good token, with raw JSON members in front. */
const withMembers = (members: string): string =>
  json(`{${members},${JSON.stringify(accessClaims()).slice(1)}`);
const hmacOver = (secret: string | Buffer): string =>
  signJws({
    header: { alg: 'HS256', typ: 'at+jwt', kid: rs.kid },
    payload: accessClaims(),
    key: Buffer.from(secret),
    alg: 'HS256',
  });
/** A key set that answers with every key it has, whatever it is asked. */
function carelessIssuer(algorithms: SignatureAlgorithm[]): () => readonly TokenIssuer[] {
  return () => {
    const keys = new TestIssuerKeys();
    keys.find = () => [rs.verification, es.verification, ed.verification];
    return [tokenIssuer({ keys, algorithms: new Set(algorithms) })];
  };
}
const foreign = (header: Record<string, unknown>): string => mintToken({ key: attacker, header });
const resign = (bytes: (good: Buffer) => Uint8Array): string =>
  replaceSegment(good(), 2, (text) =>
    Buffer.from(bytes(Buffer.from(text, 'base64url'))).toString('base64url'),
  );

const confusion: Row[] = [
  ...['none', 'None', 'NONE', 'nOnE'].flatMap((alg) => [
    row(`${alg} without a signature`, 'malformed_token', () => unsigned(alg, '')),
    row(`${alg} with a signature`, 'unsupported_algorithm', () => unsigned(alg)),
  ]),
  row('no alg', 'unsupported_algorithm', () => unsigned(undefined)),
  row('alg as a list', 'unsupported_algorithm', () => unsigned(['ES256'])),
  row('alg null', 'unsupported_algorithm', () => unsigned(null)),
  row('HS256 under the public key in PEM', 'unsupported_algorithm', () => hmacOver(pem)),
  row('HS256 under the public key, where HS256 is accepted', 'unknown_key', () => hmacOver(pem), {
    issuers: () => [
      tokenIssuer({
        algorithms: new Set<SignatureAlgorithm>(['RS256', 'HS256']),
        keys: new TestIssuerKeys(ISSUER, [
          rs.verification,
          importSecret('s'.repeat(32), 'HS256', { kid: 'h' }),
        ]),
      }),
    ],
  }),
  row('HS256 under the public key, from a careless key set', 'invalid_signature', () => hmacOver(pem), {
    issuers: carelessIssuer(['RS256', 'HS256']),
  }),
  row('HS256 under the modulus, from a careless key set', 'invalid_signature', () => hmacOver(rs.jwk.n!), {
    issuers: carelessIssuer(['RS256', 'HS256']),
  }),
  row('HS256 under nothing, from a careless key set', 'invalid_signature', () => hmacOver(''), {
    issuers: carelessIssuer(['RS256', 'HS256']),
  }),
  row('PS256 with the kid of an RS256 key', 'unknown_key', () =>
    mintToken({ key: testKey('PS256'), header: { kid: rs.kid } }),
  ),
  row(
    'ES384 signed on P-256, from a careless key set',
    'invalid_signature',
    () => signJws({ header: { alg: 'ES384' }, payload: accessClaims(), key: es.privateKey, alg: 'ES256' }),
    { issuers: carelessIssuer(['ES256', 'ES384']) },
  ),
  row('an algorithm that the issuer does not use', 'unsupported_algorithm', good, {
    issuers: () => [tokenIssuer({ algorithms: new Set(['RS256'] as const) })],
  }),
  row('secp256k1', 'unsupported_algorithm', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    return signJws({ header: { alg: 'ES256K' }, payload: accessClaims(), key: privateKey, alg: 'ES256' });
  }),
];

const embedded: Row[] = [
  row('the key in jwk', 'invalid_token_header', () => foreign({ jwk: attacker.jwk })),
  row('the key in jwk, without kid', 'invalid_token_header', () =>
    foreign({ jwk: attacker.jwk, kid: undefined }),
  ),
  row('the key behind jku', 'invalid_signature', () => foreign({ jku: 'https://evil.example/jwks' })),
  row('the key behind x5u', 'invalid_signature', () => foreign({ x5u: 'https://evil.example/cert' })),
  row('the key in x5c', 'invalid_signature', () =>
    foreign({ x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }),
  ),
  row('the key behind jku, with a kid of its own', 'unknown_key', () =>
    foreign({ jku: 'https://evil.example/jwks', kid: 'mine' }),
  ),
  row('a kid that walks paths', 'unknown_key', () => foreign({ kid: '../../dev/null' })),
  row('a kid that injects', 'unknown_key', () => foreign({ kid: "' OR 1=1 --" })),
  row('a kid of Object.prototype', 'unknown_key', () => foreign({ kid: 'constructor' })),
  row('a number as kid', 'invalid_token_header', () => foreign({ kid: 1 })),
  row('a kid of 10,000 characters', 'token_too_large', () => foreign({ kid: 'k'.repeat(10_000) })),
  row('a kid of 257 characters', 'invalid_token_header', () => foreign({ kid: 'k'.repeat(257) })),
  row('the key of another issuer, under the same kid', 'invalid_signature', () =>
    mintToken({ key: attacker }),
  ),
  row('our key for the other issuer, under the same kid', 'invalid_signature', () =>
    mintToken({ claims: { iss: OTHER } }),
  ),
];

const header: Row[] = [
  row('crit', 'invalid_token_header', () => mintToken({ header: { crit: ['exp'], exp: 1 } })),
  row('an empty crit', 'invalid_token_header', () => mintToken({ header: { crit: [] } })),
  row('b64 false', 'invalid_token_header', () => mintToken({ header: { b64: false } })),
  row('b64 false and crit', 'invalid_token_header', () =>
    mintToken({ header: { b64: false, crit: ['b64'] } }),
  ),
  row('zip', 'invalid_token_header', () => mintToken({ header: { zip: 'DEF' } })),
  row('p2c, the bomb', 'invalid_token_header', () => mintToken({ header: { p2c: 2 ** 31 } })),
  row('a DPoP proof as a token', 'invalid_token_type', () => mintToken({ header: { typ: 'dpop+jwt' } })),
  row('alg twice', 'malformed_token', () => mintToken({ rawHeader: '{"alg":"none","alg":"ES256"}' })),
  row('alg twice, once in escapes', 'malformed_token', () =>
    mintToken({ rawHeader: '{"alg":"ES256","\\u0061lg":"none"}' }),
  ),
  row('a header that is a list', 'malformed_token', () => mintToken({ rawHeader: '["ES256"]' })),
];

const form: Row[] = [
  row('an opaque token', 'malformed_token', () => 'opq_9f8e7d6c5b4a'),
  row('dots', 'malformed_token', () => '..'),
  row('padding', 'malformed_token', () => `${good()}==`),
  row('a space at the end', 'malformed_token', () => `${good()} `),
  row('a line break in the payload', 'malformed_token', () =>
    replaceSegment(good(), 1, (text) => `${text.slice(0, 8)}\n${text.slice(8)}`),
  ),
  row('spare bits in the signature', 'malformed_token', () =>
    replaceSegment(
      good(),
      2,
      (text) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1),
    ),
  ),
  row('four segments', 'malformed_token', () => `${good()}.AAAA`),
  row('a JWE', 'malformed_token', () => `${segment({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`),
  row('the JSON form', 'malformed_token', () =>
    JSON.stringify({ protected: 'x', payload: 'x', signature: 'x' }),
  ),
  row('a BOM', 'malformed_token', () => json(`\ufeff${JSON.stringify(accessClaims())}`)),
  row('trailing data', 'malformed_token', () => json(`${JSON.stringify(accessClaims())} {}`)),
  row('bytes that are no UTF-8', 'malformed_token', () =>
    mintToken({
      rawPayload: Buffer.concat([Buffer.from(JSON.stringify(accessClaims())), Buffer.from([0xff])]),
    }),
  ),
  row('a lone surrogate', 'malformed_token', () => withMembers('"x":"\\ud800"')),
  row('sub twice', 'malformed_token', () => withMembers('"sub":"admin"')),
  row('sub twice, once in escapes', 'malformed_token', () => withMembers('"\\u0073ub":"admin"')),
  row('a member twice, deep inside', 'malformed_token', () => withMembers('"a":{"b":[{"c":1,"c":2}]}')),
  row('a number that is infinite', 'malformed_token', () => withMembers('"x":1e999')),
  row('a depth of 2,000', 'malformed_token', () => withMembers(`"x":${'['.repeat(2000)}${']'.repeat(2000)}`)),
  row('a payload that is a list', 'malformed_token', () => json(`[${JSON.stringify(accessClaims())}]`)),
  row('9,000 bytes', 'token_too_large', () => mintToken({ claims: { x: 'x'.repeat(9000) } })),
];

const claims: Row[] = [
  row('an unknown issuer', 'untrusted_issuer', () =>
    mintToken({ claims: { iss: 'https://nobody.example' } }),
  ),
  row('an issuer with a slash more', 'untrusted_issuer', () => mintToken({ claims: { iss: `${ISSUER}/` } })),
  row('an issuer in another case', 'untrusted_issuer', () =>
    mintToken({ claims: { iss: ISSUER.toUpperCase() } }),
  ),
  row('an issuer of Object.prototype', 'untrusted_issuer', () =>
    mintToken({ claims: { iss: 'constructor' } }),
  ),
  row('no issuer', 'invalid_claims', () => mintToken({ claims: { iss: undefined } })),
  row('a list of issuers', 'invalid_claims', () => mintToken({ claims: { iss: [ISSUER] } })),
  row('claims inside __proto__ alone', 'invalid_claims', () =>
    json(`{"__proto__":${JSON.stringify(accessClaims())}}`),
  ),
  row('exp inside __proto__', 'invalid_claims', () =>
    json(`{"iss":"${ISSUER}","aud":"${AUDIENCE}","__proto__":{"exp":${NOW_S + 60}}}`),
  ),
  row('exp 1e308', 'invalid_claims', () => mintToken({ claims: { exp: 1e308 } })),
  row('no exp', 'invalid_claims', () => mintToken({ claims: { exp: undefined } })),
  row('exp a text', 'invalid_claims', () => mintToken({ claims: { exp: `${NOW_S + 60}` } })),
  row('expired', 'expired_token', () => mintToken({ claims: { exp: NOW_S - 31 } })),
  row('expired, and forged', 'expired_token', () =>
    mintToken({ key: attacker, claims: { exp: NOW_S - 31 } }),
  ),
  row('nbf in the future', 'token_not_yet_valid', () => mintToken({ claims: { nbf: NOW_S + 60 } })),
  row('iat in the future', 'token_not_yet_valid', () => mintToken({ claims: { iat: NOW_S + 60 } })),
  row('a long life', 'token_lifetime_too_long', () => mintToken({ claims: { exp: NOW_S + 90_000 } })),
  row('a long life, without iat', 'token_lifetime_too_long', () =>
    mintToken({ claims: { iat: undefined, exp: NOW_S + 90_000 } }),
  ),
  row('another audience', 'invalid_audience', () => mintToken({ claims: { aud: OTHER } })),
  row('aud [ours, 1]', 'invalid_claims', () => mintToken({ claims: { aud: [AUDIENCE, 1] } })),
  row('aud [1, "a"]', 'invalid_claims', () => mintToken({ claims: { aud: [1, 'a'] } })),
  row('a numeric sub', 'invalid_claims', () => mintToken({ claims: { sub: 1 } })),
  row('an ID token', 'invalid_token_type', () =>
    mintToken({ header: { typ: 'JWT' }, claims: { nonce: 'n' } }),
  ),
  row('cnf with an embedded key', 'unsupported_confirmation', () =>
    mintToken({ claims: { cnf: { jwk: attacker.jwk } } }),
  ),
  row('cnf null', 'unsupported_confirmation', () => mintToken({ claims: { cnf: null } })),
];

const signatures: Row[] = [
  row('another payload', 'invalid_signature', () =>
    replaceSegment(good(), 1, () => segment(accessClaims({ sub: 'admin' }))),
  ),
  row('another header', 'invalid_signature', () =>
    replaceSegment(good(), 0, () => segment({ kid: es.kid, alg: 'ES256' })),
  ),
  row('zeros', 'invalid_signature', () => resign((bytes) => Buffer.alloc(bytes.length))),
  row('ones', 'invalid_signature', () => resign((bytes) => Buffer.alloc(bytes.length, 0xff))),
  row('a byte less', 'invalid_signature', () => resign((bytes) => bytes.subarray(1))),
  row('a byte more', 'invalid_signature', () => resign((bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))),
  row('DER instead of r and s', 'invalid_signature', () => resign((bytes) => der(bytes))),
  row('r and s exchanged', 'invalid_signature', () =>
    resign((bytes) => Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)])),
  ),
  row('a SHA-512 digest under RS256', 'invalid_signature', () => mintTwice('RS256', 'RS512')),
  row('PKCS#1 padding under PS256', 'invalid_signature', () => mintTwice('PS256', 'RS256')),
  row('the signature of another token', 'invalid_signature', () =>
    replaceSegment(good(), 2, () => mintToken({ claims: { sub: 'b' } }).split('.')[2]!),
  ),
];

function mintTwice(alg: 'RS256' | 'PS256', signAlg: 'RS256' | 'RS512'): string {
  const { kid, privateKey } = testKey(alg);
  return signJws({
    header: { alg, kid, typ: 'at+jwt' },
    payload: accessClaims(),
    key: privateKey,
    alg: signAlg,
  });
}

function der(signature: Buffer): Buffer {
  const integer = (half: Buffer): Buffer => {
    const value = half[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), half]) : half;
    return Buffer.concat([Buffer.from([2, value.length]), value]);
  };
  const body = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

const classes: [string, Row[]][] = [
  ['algorithm confusion', confusion],
  ['embedded and foreign keys', embedded],
  ['headers', header],
  ['form', form],
  ['claims', claims],
  ['signatures', signatures],
];

describe.each(['off', 'on'])('createTokenVerifier() with the cache %s', (cache) => {
  const verifierFor = (set: () => readonly TokenIssuer[] = issuers) =>
    testVerifier(set(), cache === 'on' ? testCache() : undefined);

  describe.each(classes)('refuses: %s', (_, rows) => {
    test.each(rows)('$name', async ({ token, code, issuers: set }) => {
      const { verify } = verifierFor(set);
      const text = token();
      expect(await denialOf(() => verify(text))).toBe(code);
      expect(await denialOf(() => verify(text))).toBe(code);
    });
  });

  test.each(all)('takes a good token of $alg, again and again', async (key) => {
    const { verify } = verifierFor();
    const token = mintToken({ key });
    for (let i = 0; i < 3; i++) {
      const verified = await verify(token);
      expect(verified).toMatchObject({ issuer: ISSUER, subject: 'user-1', clientId: 'client-1' });
      expect(verified.hash).toBe(createHash('sha256').update(token).digest('base64url'));
    }
  });

  test('reads alg Ed25519 as EdDSA', async () => {
    const { verify } = verifierFor();
    expect(await denialOf(() => verify(mintToken({ key: ed, header: { alg: 'Ed25519' } })))).toBeUndefined();
  });

  test('takes a token that mentions certificates, as real issuers send them', async () => {
    const { verify } = verifierFor();
    const token = mintToken({ header: { x5t: 'abc', x5c: ['MIIB'], jku: 'https://login.example.com/jwks' } });
    expect(await denialOf(() => verify(token))).toBeUndefined();
  });

  test('reads a claim named __proto__ as nothing', async () => {
    const { verify } = verifierFor();
    const { claims: read } = await verify(withMembers('"__proto__":{"roles":["admin"]}'));
    expect('roles' in read).toBe(false);
    expect(Object.hasOwn(read, '__proto__')).toBe(false);
  });

  test('gives both forms of an ECDSA signature a hash of their own', async () => {
    const { verify } = verifierFor();
    const token = good();
    const other = replaceSegment(token, 2, (text) =>
      malleate(Buffer.from(text, 'base64url')).toString('base64url'),
    );
    const [first, second] = [await verify(token), await verify(other)];
    expect(second.hash).not.toBe(first.hash);
    expect(second.hash).toBe(createHash('sha256').update(other).digest('base64url'));
  });

  test('remembers no refusal of one form for the other', async () => {
    const { verify } = verifierFor();
    const token = good();
    const broken = replaceSegment(token, 2, (text) =>
      `A${text.slice(1)}` === text ? `B${text.slice(1)}` : `A${text.slice(1)}`,
    );
    expect(await denialOf(() => verify(broken))).toBe('invalid_signature');
    expect(await denialOf(() => verify(token))).toBeUndefined();
    expect(await denialOf(() => verify(broken))).toBe('invalid_signature');
  });

  test('tries every key of a kid, and at most four', async () => {
    const others = ['a', 'b', 'c', 'd'].map(() => createTestKey('ES256', es.kid).verification);
    const withKeys = (set: typeof others) =>
      verifierFor(() => [tokenIssuer({ keys: new TestIssuerKeys(ISSUER, set) })]);
    const token = good();
    const fourth = withKeys([...others.slice(0, 3), es.verification]);
    expect(await denialOf(() => fourth.verify(token))).toBeUndefined();
    const fifth = withKeys([...others, es.verification]);
    expect(await denialOf(() => fifth.verify(token))).toBe('invalid_signature');
  });
});

/** (r, n - s) verifies where (r, s) does. */
function malleate(signature: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`);
  return Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'),
  ]);
}

describe('the forger of this file', () => {
  test('signs as the product verifies, so that no row is refused for the wrong reason', async () => {
    const { verify } = testVerifier(issuers());
    const input = good().split('.').slice(0, 2).join('.');
    const token = `${input}.${signText('ES256', es.privateKey, input).toString('base64url')}`;
    expect(await denialOf(() => verify(token))).toBeUndefined();
    expect(await denialOf(() => verify(json(JSON.stringify(accessClaims()))))).toBeUndefined();
    expect(await denialOf(() => verify(withMembers('"x":1')))).toBeUndefined();
  });
});

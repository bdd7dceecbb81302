/** The published examples of RFC 7515, 7517, 7520, 7638, 7797 and 8037. Sources and licences are in the vector files. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { importPublicJwk, importSecret } from '../../src/jwk/import-key.js';
import { JwkRejection } from '../../src/jwk/jwk-rejection.js';
import { jwkThumbprint } from '../../src/jwk/thumbprint.js';
import type { SignatureAlgorithm, SymmetricAlgorithm, VerificationKey } from '../../src/jwk/types.js';
import { decodeBase64Url } from '../../src/jws/base64url.js';
import { parseCompactJws } from '../support/compact-jws.js';
import { readJoseHeader } from '../../src/jws/header.js';
import { JwsRejection, type JwsRejectionCode } from '../../src/jws/jws-rejection.js';
import { parseStrictJsonObject } from '../../src/jws/strict-json.js';
import { verifySignature } from '../../src/jws/verify.js';

type Jwk = Record<string, string>;
const load = (name: string): never =>
  JSON.parse(readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8')) as never;

const rfc: { cases: { name: string; value: unknown }[] } = load('rfc7515-7517-7520-7638.json');
const byName = new Map(rfc.cases.map(({ name, value }) => [name, value]));

/** Some cases name the key of another. */
function jwkOf(name: string): Jwk {
  const value = byName.get(name);
  return typeof value === 'string' ? jwkOf(value) : (value as Jwk);
}

const PRIVATE = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi']);

function verificationKey(jwk: Jwk, alg: SignatureAlgorithm): VerificationKey {
  if (jwk.kty === 'oct') return importSecret(Buffer.from(jwk.k!, 'base64url'), alg as SymmetricAlgorithm);
  return importPublicJwk(Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE.has(name))));
}

/** As parseCompactJws, for examples whose payload is no JSON. */
function verifyCompact(compact: string, jwk: Jwk): boolean {
  const [header = '', payload = '', signature = ''] = compact.split('.');
  const { alg } = readJoseHeader(parseStrictJsonObject(decodeBase64Url(header)!));
  const signed = { signingInput: `${header}.${payload}`, signature: decodeBase64Url(signature)! };
  return verifySignature(signed, verificationKey(jwk, alg as SignatureAlgorithm), alg as SignatureAlgorithm);
}

function altered(compact: string): string {
  const at = compact.lastIndexOf('.') + 5;
  return compact.slice(0, at) + (compact[at] === 'A' ? 'B' : 'A') + compact.slice(at + 1);
}

function rejection(run: () => unknown): JwsRejectionCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof JwsRejection) return error.code;
    throw error;
  }
}

const signed = rfc.cases
  .filter(({ name }) => name.endsWith('.jwsc') && byName.has(name.replace('.jwsc', '.jwk')))
  .filter(({ name }) => name !== 'rfc7520_4.5.jwsc')
  .map(({ name, value }) => [name, value as string, jwkOf(name.replace('.jwsc', '.jwk'))] as const);

describe('RFC 7515 and RFC 7520, compact examples', () => {
  test('there are eight of them', () => {
    expect(signed.length).toBe(8);
  });

  test.each(signed)('%s verifies, and does not once altered', (_, compact, jwk) => {
    expect(verifyCompact(compact, jwk)).toBe(true);
    expect(verifyCompact(altered(compact), jwk)).toBe(false);
  });

  test.each(['rfc7515_A.1', 'rfc7515_A.2', 'rfc7515_A.3'])('%s is read whole', (name) => {
    const jws = parseCompactJws(byName.get(`${name}.jwsc`) as string, { maxBytes: 8192 });
    expect({ ...jws.payload }).toEqual({ iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true });
  });

  test.each<[string, string, JwsRejectionCode]>([
    ['A.5, unsecured', 'rfc7515_A.5.jwsc', 'not_compact'],
    ['4.5, detached', 'rfc7520_4.5.jwsc', 'not_compact'],
    ['A.4, payload no JSON', 'rfc7515_A.4.jwsc', 'not_json'],
    ['4.1, payload prose', 'rfc7520_4.1.jwsc', 'not_json'],
  ])('%s is refused', (_, name, code) => {
    expect(rejection(() => parseCompactJws(byName.get(name) as string, { maxBytes: 8192 }))).toBe(code);
  });
});

interface CookbookCase {
  readonly file: string;
  readonly input: { readonly key: Jwk; readonly alg: SignatureAlgorithm };
  readonly signing: { readonly protected: Record<string, unknown> };
  readonly output: { readonly compact?: string };
}
const cookbook: { cases: CookbookCase[] } = load('ietf-jose-cookbook-jws.json');
/** A detached payload is no compact JWS that we read; its refusal is tested above. */
const compacts = cookbook.cases.filter((one) => one.output.compact?.includes('..') === false);

describe('the JOSE cookbook and RFC 8037', () => {
  test.each(compacts.filter((one) => !one.file.startsWith('rfc7797')))(
    '$file verifies',
    ({ input, output }) => {
      expect(verifyCompact(output.compact!, input.key)).toBe(true);
      expect(verifyCompact(altered(output.compact!), input.key)).toBe(false);
    },
  );

  test.each(cookbook.cases.filter((one) => one.file.startsWith('rfc7797')))(
    '$file is refused: b64 and crit',
    (one) => {
      expect(rejection(() => readJoseHeader(one.signing.protected as never))).toBe('critical_header');
      expect(rejection(() => readJoseHeader({ alg: 'HS256', b64: false }))).toBe('unsupported_header');
    },
  );
});

describe('RFC 7517, key sets', () => {
  const set = (name: string): Jwk[] => (byName.get(name) as { keys: Jwk[] }).keys;
  const code = (jwk: Jwk): string => {
    try {
      return importPublicJwk(jwk).algorithms.join();
    } catch (error) {
      return (error as JwkRejection).code;
    }
  };

  test('A.1, public keys: the one for encryption is left out', () => {
    expect(set('rfc7517_A.1.jwkset').map(code)).toEqual(['wrong_use', 'RS256']);
  });
  test('A.2, private keys', () => {
    expect(set('rfc7517_A.2.jwkset').map(code)).toEqual(['private_key', 'private_key']);
  });
  test('A.3, symmetric keys', () => {
    expect(set('rfc7517_A.3.jwkset').map(code)).toEqual(['symmetric_key', 'symmetric_key']);
  });
  test('B, with a certificate chain', () => {
    expect(code(jwkOf('rfc7517_B.jwk'))).toContain('RS256');
  });
});

interface Thumbprints {
  readonly cases: { readonly name: string; readonly jwk: object; readonly sha256: string }[];
  readonly negative: { readonly jwk: object; readonly expect: string }[];
}
const thumbprints: Thumbprints = load('jwk-thumbprints.json');

describe('RFC 7638 and RFC 8037, thumbprints', () => {
  test.each(thumbprints.cases)('$name', ({ jwk, sha256 }) => {
    expect(jwkThumbprint(jwk)).toBe(sha256);
  });

  test('RFC 7638 3.1 as latchset has it', () => {
    expect(jwkThumbprint(jwkOf('rfc7638_3.1.jwk'))).toBe(byName.get('rfc7638_3.1.thp'));
  });

  test.each(thumbprints.negative)('refused: $expect', ({ jwk }) => {
    expect(() => jwkThumbprint(jwk)).toThrow(expect.any(JwkRejection));
  });
});

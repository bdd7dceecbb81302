import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { importPemFile, MAX_KEYS_PER_FILE } from '../../src/jwk/import-pem-file.js';
import { createCertificate } from '../support/certificates.mjs';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const certificate = createCertificate('client').certificate;

describe('importPemFile()', () => {
  test.each([
    ['SubjectPublicKeyInfo', spki(ec.publicKey), ['ES256']],
    ['Ed25519', spki(ed.publicKey), ['EdDSA']],
    ['PKCS#1', pkcs1, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['X.509', certificate, ['ES256']],
    ['text around it', `client of Ann\n${spki(ec.publicKey)}the end`, ['ES256']],
    ['CRLF', spki(ec.publicKey).replaceAll('\n', '\r\n'), ['ES256']],
  ])('reads %s', (_name, text, algorithms) => {
    const [key, ...more] = importPemFile(text);
    expect(key).toMatchObject({ kid: undefined, algorithms });
    expect(more).toEqual([]);
  });

  test('reads several keys of several kinds, in order', () => {
    const keys = importPemFile(pkcs1 + spki(ec.publicKey) + certificate + spki(ed.publicKey));
    expect(keys.map(({ algorithms }) => algorithms[0])).toEqual(['RS256', 'ES256', 'ES256', 'EdDSA']);
  });

  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  test.each([
    ['nothing', '', 'unsupported_pem'],
    ['other text', 'hello', 'unsupported_pem'],
    ['a private key', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'private_key'],
    [
      'a PKCS#1 private key',
      rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      'private_key',
    ],
    [
      'a private key beside a public one',
      spki(ec.publicKey) + ec.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
      'private_key',
    ],
    ['a weak key beside a strong one', spki(ec.publicKey) + spki(weak), 'weak_key'],
    ['a half-written second key', spki(ec.publicKey) + spki(ed.publicKey).slice(0, 60), 'unsupported_pem'],
    ['another kind of block', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n', 'unsupported_pem'],
    ['a broken certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'invalid_key'],
    ['a curve without an algorithm', spki(generateKeyPairSync('x25519').publicKey), 'unsupported_curve'],
    ['too many keys', spki(ec.publicKey).repeat(MAX_KEYS_PER_FILE + 1), 'unsupported_pem'],
  ])('refuses %s', (_name, text, code) => {
    let thrown: unknown;
    try {
      importPemFile(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code });
  });
});

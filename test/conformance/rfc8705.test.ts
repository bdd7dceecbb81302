/** RFC 8705: each row names the clause that it holds the product to. */
import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { certificateThumbprint, createCertificateReader } from '../../src/authz/mtls/certificate.js';
import { parseXfccCertificate } from '../../src/authz/mtls/xfcc.js';
import { createSenderConstraintStage } from '../../src/authz/stages/sender-constraint.js';
import { assertConfirmation } from '../../src/authz/token/confirmation.js';
import type { Confirmation } from '../../src/authz/types.js';
import { fakeContext, fakeHeaders } from '../support/fake-context.js';
import { codeOf } from '../support/proofs.js';
import { NOW_S } from '../support/tokens.js';
import { readVectors } from '../support/vectors.js';

const vector = readVectors('rfc8705-x5t') as { cert_pem: string; x5t_s256: string };
const encoded = encodeURIComponent(vector.cert_pem);
const sha1 = hash('sha1', 'anything', 'base64url');
const overPem = hash('sha256', vector.cert_pem, 'base64url');
const hex = Buffer.from(vector.x5t_s256, 'base64url').toString('hex');

function decide(
  cnf: unknown,
  over: { peerCertificate?: string; xfcc?: string } = { peerCertificate: encoded },
) {
  return codeOf(() => {
    const headers = fakeHeaders(over.xfcc === undefined ? {} : { 'x-forwarded-client-cert': over.xfcc });
    const ctx = fakeContext({ headers, peerCertificate: over.peerCertificate });
    ctx.credential = { scheme: 'bearer', token: 't', place: { kind: 'header', name: 'authorization' } };
    ctx.token = tokenOf(assertConfirmation(cnf));
    return createSenderConstraintStage({
      mode: 'optional',
      verifyProof: () => {
        throw new Error('no proof was sent');
      },
      readCertificate: createCertificateReader('envoy'),
      metrics: { dpopProof: () => undefined },
    }).run(ctx);
  });
}

function tokenOf(confirmation: Confirmation | undefined) {
  return {
    issuer: 'https://login.example.com',
    hash: 'h',
    claims: {},
    subject: undefined,
    clientId: undefined,
    scopes: new Set<string>(),
    confirmation,
    expiresAtS: NOW_S,
    notBeforeS: undefined,
    issuedAtS: undefined,
  };
}

describe('RFC 8705, mutual-TLS certificate-bound access tokens', () => {
  test('3.1, appendix A: the thumbprint is of the DER bytes, validity aside', () => {
    expect(certificateThumbprint(encoded)).toBe(vector.x5t_s256);
  });

  test('3: the certificate of the connection is the one of the token', () => {
    expect(decide({ 'x5t#S256': vector.x5t_s256 })).toBe('nothing');
  });

  test.each([
    ['3.1: padding is no base64url', { 'x5t#S256': `${vector.x5t_s256}=` }, 'unsupported_confirmation'],
    ['3.1: x5t by SHA-1 is another member', { x5t: sha1 }, 'unsupported_confirmation'],
    ['3.1: an empty string', { 'x5t#S256': '' }, 'unsupported_confirmation'],
    ['3.1: no string', { 'x5t#S256': 7 }, 'unsupported_confirmation'],
    ['3.1: over the PEM text', { 'x5t#S256': overPem }, 'certificate_mismatch'],
    ['3.1: in hexadecimal', { 'x5t#S256': hex }, 'unsupported_confirmation'],
    [
      'RFC 9449 6.1: bound to a key as well',
      { 'x5t#S256': vector.x5t_s256, jkt: overPem },
      'bound_token_as_bearer',
    ],
  ])('%s', (_, cnf, code) => expect(decide(cnf)).toBe(code));

  test.each([
    ['3: no certificate was shown', {}, 'certificate_missing'],
    ['6.5: a header that the client wrote', { xfcc: `Cert="${encoded}"` }, 'certificate_missing'],
  ])('%s', (_, over, code) => expect(decide({ 'x5t#S256': vector.x5t_s256 }, over)).toBe(code));
});

describe('X-Forwarded-Client-Cert, public vectors', () => {
  const { xfcc } = readVectors('xfcc-rfc9440') as {
    xfcc: { name: string; header: string; expect: string }[];
  };
  const rows = xfcc.map(({ name, header, expect: expected }) => ({
    name,
    header: header.replace('{urlenc(PEM)}', encoded),
    isPem: expected.startsWith('PEM'),
  }));

  test.each(rows.filter(({ isPem }) => isPem))('$name: read', ({ header }) => {
    expect(certificateThumbprint(parseXfccCertificate(header) ?? '')).toBe(vector.x5t_s256);
  });

  test.each(rows.filter(({ isPem }) => !isPem))('$name: no certificate', ({ header }) => {
    expect(certificateThumbprint(parseXfccCertificate(header) ?? '')).toBeUndefined();
  });
});

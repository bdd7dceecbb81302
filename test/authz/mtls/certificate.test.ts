import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { certificateThumbprint, createCertificateReader } from '../../../src/authz/mtls/certificate.js';
import { createCertificate } from '../../support/certificates.mjs';
import { fakeHeaders } from '../../support/fake-context.js';

const { certificate: pem, der } = createCertificate('client');
const other = createCertificate('other');
const encoded = encodeURIComponent(pem);
const x5tS256 = hash('sha256', der, 'base64url');
const none = fakeHeaders();

describe('certificateThumbprint()', () => {
  test.each([
    ['as Envoy encodes it', encoded],
    [
      'with only some characters encoded',
      pem.replace(/\n/g, '%0A').replace(/\+/g, '%2B').replace(/ /g, '%20'),
    ],
    ['with a chain behind it', encodeURIComponent(pem + other.certificate)],
    ['with Windows line ends', encodeURIComponent(pem.replace(/\n/g, '\r\n'))],
    ['in one line', encodeURIComponent(pem.replace(/\n(?!-)/g, '').replace('-----M', '-----\nM'))],
  ])('reads a certificate %s', (_, text) => expect(certificateThumbprint(text)).toBe(x5tS256));

  const wrap = (bytes: Buffer): string =>
    encodeURIComponent(
      `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`,
    );

  test.each([
    ['nothing', ''],
    ['words', 'hello'],
    ['bad percent-encoding', `%ZZ${encoded}`],
    ['a percent sign at the end', `${encoded}%`],
    ['a text in front', `x${encoded}`],
    ['a certificate without an end', encodeURIComponent(pem.split('-----END')[0]!)],
    ['a key', encodeURIComponent(pem.replaceAll('CERTIFICATE', 'PUBLIC KEY'))],
    ['no base64', encodeURIComponent('-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----')],
    ['an empty certificate', wrap(Buffer.alloc(0))],
    ['bytes that are none', wrap(Buffer.alloc(300, 7))],
    ['half a certificate', wrap(der.subarray(0, 100))],
    ['bytes behind the certificate', wrap(Buffer.concat([der, Buffer.from([0])]))],
  ])('refuses %s', (_, text) => expect(certificateThumbprint(text)).toBeUndefined());
});

describe('createCertificateReader() of envoy', () => {
  const read = createCertificateReader('envoy');

  test('reads the certificate of the TLS session, again and again', () => {
    const request = { peerCertificate: encoded, headers: none };
    expect(read(request)).toEqual({ kind: 'certificate', x5tS256 });
    expect(read(request)).toEqual({ kind: 'certificate', x5tS256 });
  });

  test.each([
    ['without one', undefined, 'none'],
    ['with an empty one', '', 'none'],
    ['with one that cannot be read', '%%%', 'unreadable'],
    ['with one beyond its bound', `${encoded}${'%0A'.repeat(11_000)}`, 'unreadable'],
  ])('%s', (_, peerCertificate, kind) => expect(read({ peerCertificate, headers: none }).kind).toBe(kind));

  test('never believes the header', () => {
    const headers = fakeHeaders({ 'x-forwarded-client-cert': `Cert="${encoded}"` });
    expect(read({ peerCertificate: undefined, headers })).toEqual({ kind: 'none' });
  });
});

describe('createCertificateReader() of xfcc', () => {
  const read = createCertificateReader('xfcc');
  const readField = (...fields: string[]) =>
    read({ peerCertificate: undefined, headers: fakeHeaders({ 'x-forwarded-client-cert': fields }) });
  const foreign = `Cert="${encodeURIComponent(other.certificate)}"`;
  const own = `Hash=ab;Cert="${encoded}";Subject="CN=a,O=b"`;

  test.each([
    ['one element', [own]],
    ['the last element', [`${foreign},${own}`]],
    ['the last field', [foreign, own]],
  ])('reads %s', (_, fields) => expect(readField(...fields)).toEqual({ kind: 'certificate', x5tS256 }));

  test.each([
    ['a certificate in an earlier element alone', [`${own},Hash=ab`], 'none'],
    ['a certificate in an earlier field alone', [own, 'Hash=ab'], 'none'],
    ['no field', [], 'none'],
    ['an unclosed quote in front of what the proxy wrote', [`Cert="${encoded},${own}`], 'none'],
    ['a certificate that cannot be read', ['Cert="%ZZ"'], 'unreadable'],
  ])('%s', (_, fields, kind) => expect(readField(...fields).kind).toBe(kind));

  test('never believes the TLS session, which is the proxy’s own', () => {
    expect(read({ peerCertificate: encoded, headers: none })).toEqual({ kind: 'none' });
  });
});

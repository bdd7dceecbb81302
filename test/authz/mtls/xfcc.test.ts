import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseXfccCertificate } from '../../../src/authz/mtls/xfcc.js';

describe('parseXfccCertificate()', () => {
  test.each([
    ['Cert', 'Hash=abc;Cert="pem"', 'pem'],
    ['Cert without quotes', 'Hash=abc;Cert=pem%3D', 'pem%3D'],
    ['Chain, whose first certificate is the same', 'Hash=abc;Chain="pem"', 'pem'],
    ['Cert before Chain', 'Chain="other";Cert="pem"', 'pem'],
    ['the last element', 'Cert="a",Cert="pem"', 'pem'],
    ['the last element behind a blank', 'Cert="a", Cert="pem"', 'pem'],
    ['keys in any case', 'hash=a;cert="pem"', 'pem'],
    ['equals signs in quotes', 'Cert="a=b=c"', 'a=b=c'],
    ['a comma in quotes', 'Subject="CN=a,O=b";Cert="pem"', 'pem'],
    ['a semicolon in quotes', 'Subject="CN=a;O=b";Cert="pem"', 'pem'],
    ['an escaped quote', 'Subject="CN=\\"a\\",Cert=x";Cert="pem"', 'pem'],
    ['several URI names', 'URI=spiffe://a;URI=spiffe://b;Cert="pem"', 'pem'],
    ['an empty Subject', 'Hash=a;Subject="";Cert="pem"', 'pem'],
  ])('reads %s', (_, field, certificate) => expect(parseXfccCertificate(field)).toBe(certificate));

  test.each([
    ['nothing', ''],
    ['no certificate', 'Hash=abc;Subject="CN=test"'],
    ['one in an earlier element alone', 'Cert="pem",Hash=b'],
    ['an empty last element', 'Cert="pem",'],
    ['two in one element', 'Cert="a";Cert="b"'],
    ['an unclosed quote', 'Cert="pem'],
    ['an unclosed quote in an earlier element', 'By="x,Hash=a;Cert="pem"'],
    ['an escape at the end of an earlier element', 'By="x\\,Hash=a;Cert="pem"'],
    ['text behind a quote', 'Cert="pem"x'],
    ['a key without a value', 'Cert;Hash=a'],
    ['a value without a key', '="pem"'],
    ['more than its bound', `Hash=${'a'.repeat(70_000)},Cert="pem"`],
  ])('finds none in %s', (_, field) => expect(parseXfccCertificate(field)).toBeUndefined());

  test('whatever a client puts in front, the certificate is the one that the proxy appended, or none', () => {
    const appended = 'By=spiffe://a;Hash=ab;Cert="own";Subject="CN=\\"x\\"";URI=spiffe://b';
    const piece = fc.constantFrom('Cert="foreign"', 'Cert=', '"', '\\', ',', ';', 'Subject="', '=', 'x', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect([undefined, 'own']).toContain(parseXfccCertificate(`${pieces.join('')},${appended}`));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Short, and on every run: a token that was changed anywhere never verifies, and nothing but a Denial ever comes out. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { denialOf } from '../../support/denials.js';
import { testCache, testVerifier, tokenIssuer } from '../../support/token-issuers.js';
import { accessClaims, ISSUER, mintToken, segment, TestIssuerKeys, testKey } from '../../support/tokens.js';

const { verify } = testVerifier(
  [
    tokenIssuer({
      keys: new TestIssuerKeys(ISSUER, [testKey('ES256').verification, testKey('EdDSA').verification]),
    }),
  ],
  testCache(),
);
const TOKENS = [mintToken(), mintToken({ key: testKey('EdDSA') })];
const token = fc.constantFrom(...TOKENS);
const character = fc.constantFrom(...Array.from('AQgwz09-_.=+/ \n\0"{}é'));

const refused = async (text: string): Promise<void> => {
  if (TOKENS.includes(text)) return;
  expect(await denialOf(() => verify(text))).toBeDefined();
};

describe('createTokenVerifier() never takes', () => {
  test('a token with a character replaced', async () => {
    await fc.assert(
      fc.asyncProperty(token, fc.nat(), character, (text, at, other) => {
        const index = at % text.length;
        return refused(text.slice(0, index) + other + text.slice(index + 1));
      }),
      { numRuns: 500 },
    );
  });

  test('a token with characters put in or taken out', async () => {
    await fc.assert(
      fc.asyncProperty(
        token,
        fc.nat(),
        fc.nat(3),
        fc.string({ unit: character, maxLength: 3 }),
        (text, at, cut, put) => {
          const index = at % (text.length + 1);
          return refused(text.slice(0, index) + put + text.slice(index + cut));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('segments of good tokens put together again', async () => {
    const parts = TOKENS.flatMap((text) => text.split('.'));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...parts), { maxLength: 5 }), (segments) =>
        refused(segments.join('.')),
      ),
    );
  });

  test('any header and any claims under a signature that is not of them', async () => {
    const header = fc.record({
      alg: fc.oneof(fc.constantFrom('ES256', 'EdDSA', 'none', 'HS256'), fc.jsonValue()),
      kid: fc.oneof(fc.constantFrom('ES256-1', 'EdDSA-1'), fc.jsonValue()),
      typ: fc.oneof(fc.constantFrom('at+jwt', 'JWT'), fc.jsonValue()),
    });
    const signature = TOKENS[0]!.split('.')[2]!;
    await fc.assert(
      fc.asyncProperty(header, fc.dictionary(fc.string(), fc.jsonValue()), (h, claims) =>
        refused(`${segment(h)}.${segment(accessClaims(claims))}.${signature}`),
      ),
      { numRuns: 300 },
    );
  });

  test('any text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), refused), {
      numRuns: 300,
    });
  });
});

describe('createTokenVerifier() never throws anything but a Denial', () => {
  test('whatever an issuer signs', async () => {
    const claim = fc.constantFrom(
      'iss',
      'aud',
      'exp',
      'nbf',
      'iat',
      'sub',
      'scope',
      'scp',
      'azp',
      'cnf',
      'jti',
      'events',
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(claim, fc.jsonValue({ maxDepth: 3 })), async (claims) => {
        await denialOf(() => verify(mintToken({ key: testKey('EdDSA'), claims })));
      }),
      { numRuns: 300 },
    );
  });
});

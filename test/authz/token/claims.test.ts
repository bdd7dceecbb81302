import { describe, expect, test } from '@jest/globals';
import type { DenialCode } from '../../../src/authz/denial.js';
import { assertTimes, assertClaims } from '../../../src/authz/token/claims.js';
import type { TokenIssuer } from '../../../src/authz/token/jwt-issuer.js';
import { denialOf } from '../../support/denials.js';
import { tokenIssuer } from '../../support/token-issuers.js';
import { accessClaims, AUDIENCE, ISSUER, NOW_MS, NOW_S } from '../../support/tokens.js';

type Claims = Record<string, unknown>;

/** Claims go through JSON, as they do in life: undefined is absence. */
const payload = (over: Claims): Claims => JSON.parse(JSON.stringify(accessClaims(over))) as Claims;
const read = (over: Claims, issuer: Partial<TokenIssuer> = {}) =>
  assertClaims(payload(over), tokenIssuer(issuer));
const judge = (over: Claims, issuer: Partial<TokenIssuer> = {}) => denialOf(() => read(over, issuer));

describe('assertClaims()', () => {
  test('reads what the gate relies on', () => {
    expect(read({ nbf: NOW_S })).toEqual({
      subject: 'user-1',
      clientId: 'client-1',
      scopes: new Set(['orders:read', 'profile']),
      confirmation: undefined,
      expiresAtS: NOW_S + 300,
      notBeforeS: NOW_S,
      issuedAtS: NOW_S - 10,
    });
  });

  test('wants no more than iss, aud and exp in the compatible profile', () => {
    const bare = { sub: undefined, client_id: undefined, iat: undefined, jti: undefined, scope: undefined };
    expect(read(bare)).toMatchObject({ subject: undefined, clientId: undefined, scopes: new Set() });
  });

  test.each<[string, Claims, DenialCode]>([
    ['no aud', { aud: undefined }, 'invalid_claims'],
    ['an empty list of aud', { aud: [] }, 'invalid_claims'],
    ['aud null', { aud: null }, 'invalid_claims'],
    ['aud an object', { aud: { [AUDIENCE]: 1 } }, 'invalid_claims'],
    ['aud with a number beside ours', { aud: [AUDIENCE, 1] }, 'invalid_claims'],
    ['aud with a list beside ours', { aud: [AUDIENCE, ['x']] }, 'invalid_claims'],
    ['aud with null beside ours', { aud: [AUDIENCE, null] }, 'invalid_claims'],
    ['aud in a nested list', { aud: [[AUDIENCE]] }, 'invalid_claims'],
    ['another aud', { aud: 'https://other.example.com' }, 'invalid_audience'],
    ['an empty aud', { aud: '' }, 'invalid_audience'],
    ['aud with a slash more', { aud: `${AUDIENCE}/` }, 'invalid_audience'],
    ['aud in another case', { aud: AUDIENCE.toUpperCase() }, 'invalid_audience'],
    ['aud with a space', { aud: ` ${AUDIENCE}` }, 'invalid_audience'],
    ['two audiences in one text', { aud: `${AUDIENCE} x` }, 'invalid_audience'],
    ['only others', { aud: ['a', 'b'] }, 'invalid_audience'],
    ['no exp', { exp: undefined }, 'invalid_claims'],
    ['exp null', { exp: null }, 'invalid_claims'],
    ['exp a text', { exp: String(NOW_S + 300) }, 'invalid_claims'],
    ['exp true', { exp: true }, 'invalid_claims'],
    ['exp negative', { exp: -1 }, 'invalid_claims'],
    ['exp 1e308', { exp: 1e308 }, 'invalid_claims'],
    ['exp in milliseconds', { exp: NOW_MS + 300_000 }, 'invalid_claims'],
    ['exp beyond 2^53', { exp: 2 ** 60 }, 'invalid_claims'],
    ['nbf a text', { nbf: '0' }, 'invalid_claims'],
    ['nbf null', { nbf: null }, 'invalid_claims'],
    ['nbf negative', { nbf: -5 }, 'invalid_claims'],
    ['iat a text', { iat: String(NOW_S) }, 'invalid_claims'],
    ['iat 1e308', { iat: 1e308 }, 'invalid_claims'],
    ['a numeric sub', { sub: 1 }, 'invalid_claims'],
    ['an object as sub', { sub: { toString: 'x' } }, 'invalid_claims'],
    ['a list as sub', { sub: ['user-1'] }, 'invalid_claims'],
    ['sub null', { sub: null }, 'invalid_claims'],
    ['an empty sub', { sub: '' }, 'invalid_claims'],
    ['an endless sub', { sub: 's'.repeat(1025) }, 'invalid_claims'],
    ['a numeric client_id', { client_id: 7 }, 'invalid_claims'],
    ['a list as azp', { azp: ['a'] }, 'invalid_claims'],
    ['a numeric jti', { jti: 7 }, 'invalid_claims'],
    ['a list as scope', { scope: ['orders:read'] }, 'invalid_claims'],
    ['a number as scope', { scope: 1 }, 'invalid_claims'],
    ['scope null', { scope: null }, 'invalid_claims'],
    ['an object as scope', { scope: { 'orders:read': true } }, 'invalid_claims'],
    ['a number in scp', { scope: undefined, scp: ['a', 1] }, 'invalid_claims'],
    ['a space in a member of scp', { scope: undefined, scp: ['a b'] }, 'invalid_claims'],
    ['an object as scp', { scp: {} }, 'invalid_claims'],
    ['nonce, as ID tokens have', { nonce: 'n' }, 'invalid_token_type'],
    ['at_hash', { at_hash: 'h' }, 'invalid_token_type'],
    ['c_hash', { c_hash: 'h' }, 'invalid_token_type'],
    ['nonce null', { nonce: null }, 'invalid_token_type'],
    [
      'events, as logout tokens have',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      'invalid_token_type',
    ],
    ['a confirmation of an unknown kind', { cnf: { kid: 'k' } }, 'unsupported_confirmation'],
    ['cnf null', { cnf: null }, 'unsupported_confirmation'],
    ['a life of a day and a second', { iat: NOW_S, exp: NOW_S + 86_401 }, 'token_lifetime_too_long'],
  ])('refuses %s', async (_, over, code) => {
    expect(await judge(over)).toBe(code);
  });

  test.each<[string, Claims]>([
    ['our audience among others', { aud: ['x', AUDIENCE, 'y'] }],
    ['fractions of a second', { exp: NOW_S + 1.5, iat: NOW_S - 0.5 }],
    ['a life of a day', { iat: NOW_S, exp: NOW_S + 86_400 }],
    ['claims nobody knows', { roles: [1, { a: null }], events: 'none' }],
  ])('takes %s', async (_, over) => {
    expect(await judge(over)).toBeUndefined();
  });

  test.each<[string, Claims, string[]]>([
    ['one', { scope: 'a' }, ['a']],
    ['several', { scope: 'a b a' }, ['a', 'b']],
    ['none in an empty text', { scope: '' }, []],
    ['spaces that are too many', { scope: ' a  b ' }, ['a', 'b']],
    ['no separator but the space', { scope: 'a,b a\tb' }, ['a,b', 'a\tb']],
    ['scp as a text', { scope: undefined, scp: 'a b' }, ['a', 'b']],
    ['scp as a list', { scope: undefined, scp: ['a', 'b'] }, ['a', 'b']],
    ['scope, though scp says more', { scope: 'a', scp: ['a', 'admin'] }, ['a']],
    ['an empty scope, though scp says more', { scope: '', scp: 'admin' }, []],
  ])('reads scopes: %s', (_, over, scopes) => {
    expect([...read(over).scopes]).toEqual(scopes);
  });

  test('takes azp where there is no client_id', () => {
    expect(read({ client_id: undefined, azp: 'spa' }).clientId).toBe('spa');
    expect(read({ client_id: 'c', azp: 'spa' }).clientId).toBe('c');
  });

  test.each(['sub', 'client_id', 'iat', 'jti', 'exp', 'aud'])(
    'wants %s in the profile rfc9068',
    async (name) => {
      expect(await judge({ [name]: undefined }, { profile: 'rfc9068' })).toBe('invalid_claims');
      expect(await judge({}, { profile: 'rfc9068' })).toBeUndefined();
    },
  );

  test('does not look at iss, which has chosen the rules', () => {
    expect(read({ iss: ISSUER })).toBeDefined();
  });
});

describe('assertTimes()', () => {
  const rules = tokenIssuer({ clockToleranceMs: 30_000, maxLifetimeMs: 3_600_000 });
  const judgeTimes = (times: { exp: number; nbf?: number; iat?: number }, nowMs = NOW_MS) =>
    denialOf(() => {
      assertTimes({ expiresAtS: times.exp, notBeforeS: times.nbf, issuedAtS: times.iat }, nowMs, rules);
    });

  test.each<[string, { exp: number; nbf?: number; iat?: number }, DenialCode | undefined]>([
    ['in the middle of its life', { exp: NOW_S + 60, iat: NOW_S - 60 }, undefined],
    ['a moment before exp and tolerance', { exp: NOW_S - 29.999 }, undefined],
    ['at exp and tolerance', { exp: NOW_S - 30 }, 'expired_token'],
    ['long past', { exp: 0 }, 'expired_token'],
    ['at nbf less tolerance', { exp: NOW_S + 60, nbf: NOW_S + 30 }, undefined],
    ['before nbf', { exp: NOW_S + 60, nbf: NOW_S + 30.001 }, 'token_not_yet_valid'],
    ['issued now by a clock that is ahead', { exp: NOW_S + 60, iat: NOW_S + 30 }, undefined],
    ['issued in the future', { exp: NOW_S + 60, iat: NOW_S + 31 }, 'token_not_yet_valid'],
    ['lives an hour from now, without iat', { exp: NOW_S + 3600 }, undefined],
    ['lives for ever, without iat', { exp: NOW_S + 1e9 }, 'token_lifetime_too_long'],
  ])('%s', async (_, times, code) => {
    expect(await judgeTimes(times)).toBe(code);
  });
});

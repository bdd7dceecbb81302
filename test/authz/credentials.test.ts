import { describe, expect, test } from '@jest/globals';
import {
  createCredentialFinder,
  type CredentialOptions,
  type CredentialSource,
} from '../../src/authz/credentials.js';
import { authzRequest, denialOf, type RequestParts } from './contexts.js';

const AUTHORIZATION: CredentialSource = { header: 'authorization' };
const ALL: CredentialSource[] = [
  AUTHORIZATION,
  { header: 'X-Access-Token' },
  { header: 'x-legacy', prefix: 'Token ' },
  { cookie: 'session' },
  { query: 'access_token' },
];

function find(parts: RequestParts, options: Partial<CredentialOptions> = {}): unknown {
  const finder = createCredentialFinder({ sources: ALL, multiple: 'reject', maxTokenBytes: 100, ...options });
  let found: unknown;
  const denial = denialOf(() => {
    const credential = finder.find(authzRequest(parts));
    found =
      credential === undefined ? 'none' : `${credential.scheme} ${credential.token} ${credential.place.kind}`;
  });
  return denial === 'passed' ? found : denial;
}

const authorization = (value: string | readonly string[]): RequestParts => ({
  headers: { authorization: value },
});

describe('createCredentialFinder() in Authorization', () => {
  test.each<[string, string | readonly string[], string]>([
    ['Bearer', 'Bearer abc', 'bearer abc header'],
    ['any case', 'bEARER abc', 'bearer abc header'],
    ['DPoP', 'DPoP abc', 'dpop abc header'],
    ['DPoP, any case', 'dpop abc', 'dpop abc header'],
    ['several spaces', 'Bearer   abc', 'bearer abc header'],
    ['all of token68', 'Bearer aZ09-._~+/==', 'bearer aZ09-._~+/== header'],
    ['empty', '', 'none'],
    ['another scheme', 'Basic abc', 'none'],
    ['a scheme that begins alike', 'Bearers abc', 'none'],
    ['a scheme that goes on', 'bearer-x abc', 'none'],
    ['a token without scheme', 'eyJhbGciOiJ9.e30.c2ln', 'none'],
    ['the commas of another scheme', 'Digest username="a", nc=1', 'none'],
    ['nothing after the scheme', 'Bearer', 'malformed_credential'],
    ['nothing but a space', 'Bearer ', 'malformed_credential'],
    ['nothing after DPoP', 'DPoP', 'malformed_credential'],
    ['a tab', 'Bearer\tabc', 'malformed_credential'],
    ['a tab after the space', 'Bearer \tabc', 'malformed_credential'],
    ['a colon', 'Bearer: abc', 'malformed_credential'],
    ['two tokens', 'Bearer abc def', 'malformed_credential'],
    ['a space at the end', 'Bearer abc ', 'malformed_credential'],
    ['a space at the beginning', ' Bearer abc', 'malformed_credential'],
    ['a parameter', 'Bearer token="abc"', 'malformed_credential'],
    ['an equals sign within', 'Bearer a=b', 'malformed_credential'],
    ['only equals signs', 'Bearer ==', 'malformed_credential'],
    ['a non-breaking space', 'Bearer\u00a0abc', 'malformed_credential'],
    ['NUL', 'Bearer abc\u0000', 'malformed_credential'],
    ['a line feed', 'Bearer abc\n', 'malformed_credential'],
    ['bytes that are no UTF-8', '\ufffd', 'malformed_credential'],
    ['a comma', 'Bearer abc,DPoP def', 'multiple_credentials'],
    ['a comma at the end', 'Bearer abc,', 'multiple_credentials'],
    ['an empty field before', ',Bearer abc', 'multiple_credentials'],
    ['another scheme before', 'Basic abc,Bearer def', 'multiple_credentials'],
    ['another scheme before, spaced', 'Basic abc,  dpop def', 'multiple_credentials'],
    ['two fields', ['Bearer abc', 'Bearer abc'], 'multiple_credentials'],
    ['two fields of another scheme', ['Basic abc', 'Basic abc'], 'multiple_credentials'],
    ['an empty field and another', ['', 'Basic abc'], 'multiple_credentials'],
    ['too large', `Bearer ${'a'.repeat(101)}`, 'token_too_large'],
    ['just large enough', `Bearer ${'a'.repeat(100)}`, `bearer ${'a'.repeat(100)} header`],
    ['too large and malformed', `Bearer ${'!'.repeat(101)}`, 'token_too_large'],
  ])('%s', (_, value, expected) => {
    expect(find(authorization(value), { sources: [AUTHORIZATION] })).toBe(expected);
    expect(find(authorization(value))).toBe(expected);
  });

  test('takes two values for a bad request even where the first credential counts', () => {
    expect(find(authorization(['Bearer a', 'Bearer b']), { multiple: 'first' })).toBe('multiple_credentials');
  });

  test('is not read where it is not configured', () => {
    expect(find(authorization('Bearer abc'), { sources: [{ header: 'x-access-token' }] })).toBe('none');
  });
});

describe('createCredentialFinder() elsewhere', () => {
  test.each<[string, RequestParts, string]>([
    ['a header', { headers: { 'x-access-token': 'abc' } }, 'bearer abc header'],
    ['an empty header', { headers: { 'x-access-token': '' } }, 'none'],
    ['a header twice', { headers: { 'x-access-token': ['a', 'b'] } }, 'multiple_credentials'],
    ['a header with a scheme', { headers: { 'x-access-token': 'Bearer abc' } }, 'malformed_credential'],
    ['a header of bad bytes', { headers: { 'x-access-token': '\ufffd' } }, 'malformed_credential'],
    ['a prefix', { headers: { 'x-legacy': 'Token abc' } }, 'bearer abc header'],
    ['a prefix in any case', { headers: { 'x-legacy': 'token abc' } }, 'bearer abc header'],
    ['another prefix', { headers: { 'x-legacy': 'Basic abc' } }, 'none'],
    ['a prefix alone', { headers: { 'x-legacy': 'Token ' } }, 'malformed_credential'],
    [
      'a prefix in the second of two',
      { headers: { 'x-legacy': 'Basic a, Token b' } },
      'multiple_credentials',
    ],
    ['a cookie', { headers: { cookie: 'a=1; session=abc; b=2' } }, 'bearer abc cookie'],
    ['a cookie that Envoy joined', { headers: { cookie: 'a=1,session=abc' } }, 'bearer abc cookie'],
    ['cookies in fields', { headers: { cookie: ['a=1', 'session=abc'] } }, 'bearer abc cookie'],
    ['a quoted cookie', { headers: { cookie: 'session="abc"' } }, 'bearer abc cookie'],
    ['a cookie without spaces', { headers: { cookie: 'a=1;session=abc' } }, 'bearer abc cookie'],
    ['a cookie twice', { headers: { cookie: 'session=abc; session=def' } }, 'multiple_credentials'],
    ['a cookie twice, joined', { headers: { cookie: 'session=abc,session=def' } }, 'multiple_credentials'],
    ['an empty cookie', { headers: { cookie: 'session=' } }, 'none'],
    ['a cookie in other case', { headers: { cookie: 'Session=abc' } }, 'none'],
    ['a longer cookie name', { headers: { cookie: 'xsession=abc; session2=d' } }, 'none'],
    ['a name in a value', { headers: { cookie: 'a=session=abc' } }, 'none'],
    ['an odd cookie', { headers: { cookie: 'session=a b' } }, 'malformed_credential'],
    ['a parameter', { query: 'a=1&access_token=abc&b=2' }, 'bearer abc query'],
    ['an encoded parameter value', { query: 'access_token=a%2Bb' }, 'bearer a+b query'],
    ['a plus sign', { query: 'access_token=a+b' }, 'malformed_credential'],
    ['an encoded space', { query: 'access_token=a%20b' }, 'malformed_credential'],
    ['a bad encoding', { query: 'access_token=a%2' }, 'malformed_credential'],
    ['a parameter twice', { query: 'access_token=a&access_token=a' }, 'multiple_credentials'],
    ['an empty parameter', { query: 'access_token=' }, 'none'],
    ['a parameter without value', { query: 'access_token' }, 'none'],
    ['a longer parameter', { query: 'access_token2=a&xaccess_token=b' }, 'none'],
    ['two places', { headers: { authorization: 'Bearer a', cookie: 'session=a' } }, 'multiple_credentials'],
    [
      'two places, one malformed',
      { headers: { authorization: 'Bearer a', cookie: 'session=!' } },
      'multiple_credentials',
    ],
    [
      'another scheme and a cookie',
      { headers: { authorization: 'Basic a', cookie: 'session=abc' } },
      'bearer abc cookie',
    ],
  ])('%s', (_, parts, expected) => {
    expect(find(parts)).toBe(expected);
  });

  test.each<[string, RequestParts, string]>([
    [
      'header before cookie',
      { headers: { cookie: 'session=b', authorization: 'Bearer a' } },
      'bearer a header',
    ],
    ['cookie before query', { headers: { cookie: 'session=b' }, query: 'access_token=c' }, 'bearer b cookie'],
    [
      'the others are not read',
      { headers: { cookie: 'session=b' }, query: 'access_token=%' },
      'bearer b cookie',
    ],
    [
      'the first is not forgiven',
      { headers: { authorization: 'Bearer !', cookie: 'session=b' } },
      'malformed_credential',
    ],
    ['the first of two cookies', { headers: { cookie: 'session=a; session=b' } }, 'bearer a cookie'],
    ['the first of two parameters', { query: 'access_token=a&access_token=b' }, 'bearer a query'],
  ])('with multiple "first": %s', (_, parts, expected) => {
    expect(find(parts, { multiple: 'first' })).toBe(expected);
  });
});

import { describe, expect, test } from '@jest/globals';
import { readRequestForm } from '../../src/explain/request-forms.js';
import { readRecordedRequest, RecordedRequestError } from '../../src/fronts/envoy/recorded-request.js';

type Additions = Partial<Parameters<typeof readRequestForm>[1]>;
const form = (given: unknown, additions: Additions = {}) =>
  readRequestForm(given, { headers: [], ...additions });
const read = (given: unknown, additions?: Additions) =>
  readRecordedRequest(form(given, additions).checkRequest);
const LINE = { decision: 'deny', reason: 'missing_credential', method: 'GET', path: '/a', host: 'h.example' };

describe('readRequestForm()', () => {
  test('reads a line of the decision log, and keeps what it says', () => {
    expect(read({ ...LINE, requestId: 'r1' })).toMatchObject({
      ...{ method: 'GET', path: '/a', host: 'h.example', requestId: 'r1' },
    });
    expect(form({ ...LINE, requirement: 'audiences', found: 'x' }).logged).toEqual({
      decision: 'deny',
      reason: 'missing_credential',
      details: { requirement: 'audiences', found: 'x' },
    });
  });

  test.each([
    ['extension', 'orders-write', 'missing_credential', 'orders-write'],
    ['metadata', 'orders-write', 'missing_credential', 'orders-write'],
    ['authority', 'orders-write', 'missing_credential', 'orders-write'],
    ['route', 'orders-write', 'missing_credential', undefined],
    ['default', 'default', 'missing_credential', undefined],
    [undefined, undefined, 'no_route', undefined],
    [undefined, undefined, 'unknown_policy', ''],
  ])('has a policy chosen by %s (%s, %s) chosen again', (chosenBy, policy, reason, expected) => {
    const { contextExtensions } = read({ ...LINE, chosenBy, policy, reason });
    expect(contextExtensions.get('portcullis.policy')).toBe(expected);
  });

  test.each([
    ['a name that was left out', '/reset/\u2026/done', 'missing_credential', '/reset/%E2%80%A6/done'],
    ['a path that was refused', '/a\u2026', 'ambiguous_path', '/a\u2026'],
  ])('reads the path of a line: %s', (_name, path, reason, expected) => {
    expect(read({ ...LINE, path, reason }).path).toBe(expected);
  });

  test('reads the short form, and takes the path as it is written', () => {
    const request = read({
      method: 'GET',
      url: 'https://h.example/a/%2e%2e/b?c=d',
      headers: { Authorization: 'Bearer t', dpop: ['one', 'two'] },
      policy: 'p',
    });
    expect(request).toMatchObject({ method: 'GET', path: '/a/%2e%2e/b', query: 'c=d', host: 'h.example' });
    expect(request.headers.all('dpop')).toEqual(['one', 'two']);
    expect(request.headers.get('authorization')).toBe('Bearer t');
    expect(request.contextExtensions.get('portcullis.policy')).toBe('p');
  });

  test.each([
    ['map', { headers: { authorization: 'Bearer t' } }],
    ['list', { header_map: { headers: [{ key: 'authorization', value: 'Bearer t' }] } }],
  ])('adds headers and a policy to a CheckRequest with a %s of headers', (_name, headers) => {
    const http = { method: 'GET', path: '/', host: 'h.example', ...headers };
    const request = read(
      { attributes: { request: { http }, contextExtensions: { a: 'b' } } },
      { headers: [['x-a', '1']], policy: 'p' },
    );
    expect(request.headers.get('authorization')).toBe('Bearer t');
    expect(request.headers.get('x-a')).toBe('1');
    expect([...request.contextExtensions]).toEqual(expect.arrayContaining([['portcullis.policy', 'p']]));
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', null, /must be an object/],
    ['a list', [], /must be an object/],
    ['another object', { hello: 'hush' }, /"hello" would be ignored/],
    [
      'method, path and headers, which looks like a log line',
      { method: 'GET', path: '/hush', headers: {} },
      /"path" would be ignored/,
    ],
    [
      'a token beside the short form',
      { method: 'GET', url: 'https://h/', token: 'hush' },
      /"token" would be ignored/,
    ],
    ['headers beside a log line', { ...LINE, headers: { a: 'hush' } }, /--header/],
    ['no URL', { method: 'GET' }, /CheckRequest/],
    ['a URL that is none', { method: 'GET', url: 'hush' }, /url must be/],
    ['a header that is no text', { method: 'GET', url: 'https://h/', headers: { a: 1 } }, /text only/],
    [
      'an unknown member of a CheckRequest',
      { attributes: { request: { http: { header: 'hush' } } } },
      /"attributes\.request\.http\.header" would be ignored/,
    ],
    ['something beside attributes', { attributes: {}, headers: 'hush' }, /"headers" would be ignored/],
  ])('refuses %s, without quoting a value [operators 2]', (_name, given, expected) => {
    const call = (): unknown => form(given);
    expect(call).toThrow(RecordedRequestError);
    expect(call).toThrow(expected);
    expect(call).not.toThrow(/hush/);
  });

  test('takes every member that Envoy sends', () => {
    const http = {
      id: '1',
      method: 'GET',
      path: '/',
      host: 'h',
      scheme: 'https',
      protocol: 'HTTP/2',
      size: '0',
      rawBody: '',
    };
    const attributes = {
      source: { address: { socketAddress: { address: '10.0.0.1', portValue: 1 } }, principal: 'p' },
      destination: { address: {} },
      request: { time: '2026-01-01T00:00:00Z', http },
      metadataContext: {},
      routeMetadataContext: {},
      tlsSession: { sni: 'h' },
    };
    expect(read({ attributes })).toMatchObject({ method: 'GET', path: '/' });
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Denial } from '../../../src/authz/denial.js';
import { parseRequest } from '../../../src/fronts/envoy/decode.js';
import {
  checkRequest,
  checkRequestBytes,
  encodeCheckRequest,
  type RequestInput,
} from '../../support/envoy-messages.js';

const CALL = { policy: undefined, authority: undefined };
const parse = (input: RequestInput) => parseRequest(checkRequestBytes(input), CALL);
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    if (error instanceof Denial) return error.code;
    throw error;
  }
  return undefined;
};

describe('parseRequest()', () => {
  test('reads what a decision needs', () => {
    const request = parse({
      method: 'POST',
      path: '/a/b?x=1&y=2',
      host: 'API.example.com:8443',
      headers: [['authorization', 'Bearer abc']],
      certificate: '-----BEGIN%20CERTIFICATE',
      extensions: { 'portcullis.policy': 'p' },
    });
    expect(request).toMatchObject({
      method: 'POST',
      path: '/a/b',
      query: 'x=1&y=2',
      host: 'API.example.com:8443',
      peerCertificate: '-----BEGIN%20CERTIFICATE',
      requestId: 'b2a5e3a0-6f0e-4b4c-9a52-9d2f0d1c0001',
    });
    expect(request.headers.all('authorization')).toEqual(['Bearer abc']);
    expect(request.contextExtensions.get('portcullis.policy')).toBe('p');
  });

  test.each([
    ['map', false],
    ['header_map', true],
  ])('reads headers in the form of %s', (_name, raw) => {
    const request = parse({
      raw,
      headers: [
        ['X-Custom', 'v'],
        ['x-utf8', 'grüße'],
      ],
    });
    expect(request.headers.get('x-custom')).toBe('v');
    expect(request.headers.get('x-utf8')).toBe('grüße');
  });

  test('keeps fields of header_map apart that the map joins', () => {
    const headers = [
      ['dpop', 'one'],
      ['dpop', 'two'],
    ] as const;
    expect(parse({ raw: true, headers }).headers.all('dpop')).toEqual(['one', 'two']);
    expect(parse({ headers }).headers.all('dpop')).toEqual(['one,two']);
  });

  test('keeps both when one name is in the map twice on the wire', () => {
    const one = checkRequestBytes({ headers: [['authorization', 'Bearer a']] });
    const two = checkRequestBytes({ headers: [['authorization', 'Bearer b']] });
    // protobuf merges messages that are concatenated, so both entries are in one map
    const request = parseRequest(Buffer.concat([one, two]), CALL);
    expect(request.headers.all('authorization')).toEqual(['Bearer a', 'Bearer b']);
  });

  test('leaves pseudo headers out, so that nothing is decided on their copies', () => {
    expect([...parse({}).headers.names()]).toEqual(['x-request-id']);
  });

  test.each(['get', 'Delete', 'pATCH', 'version-control', 'query'])(
    'refuses %s, a registered method in another case [security 9]',
    (method) => {
      expect(codeOf(() => parse({ method }))).toBe('malformed_request');
    },
  );

  test.each(['GET', 'VERSION-CONTROL', 'custom', 'M-SEARCH', 'GETS'])(
    'takes the method %s as sent',
    (method) => {
      expect(parse({ method }).method).toBe(method);
    },
  );

  const withPaths = (target: string, ...paths: readonly Buffer[]): boolean => {
    const http = { method: 'GET', path: target, host: 'h' };
    const headers = paths.map((bytes) => ({ key: ':path', raw_value: bytes }));
    const message = { attributes: { request: { http: { ...http, header_map: { headers } } } } };
    return parseRequest(encodeCheckRequest(message), CALL).hasTrueTarget;
  };

  test.each<[string, boolean, string, readonly Buffer[]]>([
    ['the same bytes', true, '/a?b=c', [Buffer.from('/a?b=c')]],
    ['an exclamation mark', true, '/a!', [Buffer.from('/a!')]],
    ['no :path at all', true, '/a!', []],
    ['bytes that are not UTF-8 in the path', false, '/a!!', [Buffer.from('/a\u00c0\u00ae', 'latin1')]],
    ['bytes that are not UTF-8 in the query', false, '/a?b=!', [Buffer.from('/a?b=\u00ff', 'latin1')]],
    ['another path', false, '/a', [Buffer.from('/b')]],
    ['a longer path', false, '/a', [Buffer.from('/a?b')]],
    ['two of the same', false, '/a', [Buffer.from('/a'), Buffer.from('/a')]],
    ['two others', false, '/a', [Buffer.from('/a'), Buffer.from('/b')]],
    ['UTF-8', false, '/caf\u00e9', [Buffer.from('/caf\u00e9')]],
  ])('knows the true target by %s: %s [security 4]', (_, expected, target, paths) => {
    expect(withPaths(target, ...paths)).toBe(expected);
  });

  test('joins all headers in one pass as get() does [security 8]', () => {
    const { headers } = parse({
      raw: true,
      headers: [
        ['x-a', '1'],
        ['x-b', '2'],
        ['x-a', '3'],
      ],
    });
    const joined = headers.joined();
    expect([...joined.keys()]).toEqual(['x-request-id', 'x-a', 'x-b']);
    for (const [name, value] of joined) expect(value).toBe(headers.get(name));
  });

  test.each([
    ['an empty message', Buffer.alloc(0)],
    ['attributes without a request', encodeCheckRequest({ attributes: {} })],
    ['a request without http', encodeCheckRequest({ attributes: { request: {} } })],
    ['no method', encodeCheckRequest({ attributes: { request: { http: { path: '/', host: 'h' } } } })],
    ['no path', encodeCheckRequest({ attributes: { request: { http: { method: 'GET', host: 'h' } } } })],
    ['bytes that are no message', Buffer.from('ffffffffffffffffffffff', 'hex')],
    ['a length beyond the end', Buffer.from([0x0a, 0x7f, 0x00])],
    ['a group', Buffer.from([0x0b, 0x0c])],
    ['field number 0', Buffer.from([0x02, 0x00])],
  ])('refuses %s', (_name, bytes) => {
    expect(codeOf(() => parseRequest(bytes, CALL))).toBe('malformed_request');
  });

  test('takes CONNECT without a path', () => {
    expect(parse({ method: 'CONNECT', path: '', host: 'db:5432' })).toMatchObject({
      method: 'CONNECT',
      path: '',
    });
  });

  test('refuses a path that is not UTF-8, and lets such a header value equal nothing', () => {
    const bytes = checkRequestBytes({ path: '/caf\u00e9', headers: [['x-odd', 'caf\u00e9']] });
    const broken = Buffer.from(
      bytes.toString('latin1').replaceAll('caf\u00c3\u00a9', 'caf\u00ff\u00fe'),
      'latin1',
    );
    expect(codeOf(() => parseRequest(broken, CALL))).toBe('malformed_request');
    const oddHeader = parseRequest(
      Buffer.from(
        checkRequestBytes({ headers: [['x-odd', 'caf\u00e9']] })
          .toString('latin1')
          .replaceAll('caf\u00c3\u00a9', 'caf\u00ff\u00fe'),
        'latin1',
      ),
      CALL,
    );
    expect(oddHeader.headers.get('x-odd')).toBe('\ufffd');
  });

  test('bounds the number of headers', () => {
    const headers = Array.from({ length: 1001 }, (_, n) => [`x-${n}`, 'v'] as const);
    expect(codeOf(() => parse({ headers }))).toBe('malformed_request');
  });

  test.each([
    ['application/grpc', 'grpc'],
    ['application/grpc+proto', 'grpc'],
    ['application/grpc;x=1', undefined],
    ['application/grpc-web+proto', 'grpc-web'],
    ['application/connect+json', 'connect'],
    ['application/json', undefined],
  ])('reads %s as %s', (contentType, rpc) => {
    expect(parse({ headers: [['content-type', contentType]] }).rpc).toBe(rpc);
  });

  test('agrees with reflection on whatever reflection can write', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    fc.assert(
      fc.property(
        fc.record({
          method: fc.constantFrom('GET', 'POST', 'PURGE'),
          path: fc.string({ maxLength: 50 }).map((text) => `/${text}`),
          host: fc.string({ maxLength: 30 }),
          headers: fc.uniqueArray(fc.tuple(name, fc.string()), { selector: ([key]) => key }),
          raw: fc.boolean(),
        }),
        (input) => {
          const request = parse(input);
          expect(request.query === undefined ? request.path : `${request.path}?${request.query}`).toBe(
            input.path,
          );
          expect(request.host).toBe(input.host);
          for (const [key, value] of input.headers) {
            if (key !== 'x-request-id') expect(request.headers.get(key)).toBe(value);
          }
        },
      ),
    );
  });

  test('refuses or reads any mutation of a message, and throws nothing else', () => {
    const whole = encodeCheckRequest(checkRequest({ headers: [['authorization', 'Bearer abc']] }));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, cut) => {
        const bytes = Buffer.from(whole.subarray(0, cut));
        if (at < bytes.length) bytes[at] = byte;
        expect([undefined, 'malformed_request']).toContain(codeOf(() => parseRequest(bytes, CALL)));
      }),
      { numRuns: 2000 },
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import { readRecordedRequest, RecordedRequestError } from '../../../src/fronts/envoy/recorded-request.js';

const read = readRecordedRequest;

describe('readRecordedRequest()', () => {
  test.each([
    ['snake_case', { context_extensions: { 'portcullis.policy': 'p' } }],
    ['camelCase', { contextExtensions: { 'portcullis.policy': 'p' } }],
  ])('reads proto3 JSON in %s', (_name, extensions) => {
    const http = {
      method: 'GET',
      path: '/a?b=c',
      host: 'h.example',
      headers: { authorization: 'Bearer t' },
      size: '0',
    };
    const request = read({ attributes: { request: { time: '2026-01-01T00:00:00Z', http }, ...extensions } });
    expect(request).toMatchObject({ method: 'GET', path: '/a', query: 'b=c', host: 'h.example' });
    expect(request.headers.get('authorization')).toBe('Bearer t');
    expect(request.contextExtensions.get('portcullis.policy')).toBe('p');
  });

  test('reads header_map with base64 values, and the certificate', () => {
    const headers = [
      { key: 'dpop', raw_value: Buffer.from('one').toString('base64') },
      { key: 'dpop', rawValue: Buffer.from('two').toString('base64') },
    ];
    const request = read({
      attributes: {
        source: { certificate: 'PEM' },
        request: { http: { method: 'GET', path: '/', header_map: { headers } } },
      },
    });
    expect(request.headers.all('dpop')).toEqual(['one', 'two']);
    expect(request.peerCertificate).toBe('PEM');
  });

  test.each([
    ['nothing', null],
    ['a list', []],
    ['another object', { hello: 'world' }],
    ['attributes of a wrong kind', { attributes: 3 }],
    ['a header that is no text', { attributes: { request: { http: { headers: { a: 1 } } } } }],
    ['a header map without a list', { attributes: { request: { http: { header_map: { headers: {} } } } } }],
  ])('refuses %s, without revealing a value', (_name, recorded) => {
    expect(() => readRecordedRequest(recorded)).toThrow(RecordedRequestError);
  });
});

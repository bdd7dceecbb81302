import { describe, expect, test } from '@jest/globals';
import { createRequest, UNKNOWN_REQUEST, type RequestInput } from '../../src/authz/create-request.js';
import { denialOf } from './contexts.js';

const create = (over: Partial<RequestInput> = {}) =>
  createRequest({ method: 'GET', target: '/a?b=c', host: 'h', headers: [], ...over });

describe('createRequest()', () => {
  test('splits the target at the first question mark', () => {
    expect(create({ target: '/a?b=c?d' })).toMatchObject({ path: '/a', query: 'b=c?d' });
    expect(create({ target: '/a' })).toMatchObject({ path: '/a', query: undefined });
    expect(create({ target: '/a?' })).toMatchObject({ path: '/a', query: '' });
  });

  test('reads headers by name in any case, each field alone and joined, without pseudo headers', () => {
    const { headers, requestId } = create({
      headers: [
        ['DPoP', 'one'],
        ['dpop', 'two'],
        [':path', '/other'],
        ['', 'nothing'],
        ['X-Request-Id', 'r1'],
      ],
    });
    expect(headers.all('dpop')).toEqual(['one', 'two']);
    expect(headers.get('dpop')).toBe('one,two');
    expect([...headers.names()]).toEqual(['dpop', 'x-request-id']);
    expect([...headers.joined()]).toEqual([
      ['dpop', 'one,two'],
      ['x-request-id', 'r1'],
    ]);
    expect(headers.get('absent')).toBeUndefined();
    expect(requestId).toBe('r1');
  });

  test.each([
    ['visible ASCII', { target: '/a?b=%20' }, true],
    ['another byte', { target: '/\u00e4' }, false],
    ['a space', { target: '/a b' }, false],
    ['a target that is known to differ', { hasTrueTarget: false }, false],
  ])('says whether the target is what is forwarded: %s', (_name, over, expected) => {
    expect(create(over).hasTrueTarget).toBe(expected);
  });

  test.each([
    ['no method', { method: '' }],
    ['a registered method in another case', { method: 'get' }],
    ['no target', { target: '' }],
  ])('refuses %s', (_name, over) => {
    expect(denialOf(() => create(over))).toBe('malformed_request');
  });

  test('takes CONNECT without a target', () => {
    expect(create({ method: 'CONNECT', target: '' }).path).toBe('');
  });

  test.each([
    ['application/grpc', 'grpc'],
    ['application/grpc+proto', 'grpc'],
    ['application/grpc;x=1', undefined],
    ['application/grpc-web+proto', 'grpc-web'],
    ['application/connect+json', 'connect'],
    ['application/json', undefined],
  ])('sees what kind of call %s is', (contentType, rpc) => {
    expect(create({ headers: [['content-type', contentType]] }).rpc).toBe(rpc);
  });

  test('UNKNOWN_REQUEST holds nothing', () => {
    expect([...UNKNOWN_REQUEST.headers.names()]).toEqual([]);
    expect(UNKNOWN_REQUEST.requestId).toBeUndefined();
  });
});

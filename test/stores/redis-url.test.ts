import { describe, expect, test } from '@jest/globals';
import { parseRedisUrl } from '../../src/stores/redis-url.js';

describe('parseRedisUrl()', () => {
  test.each([
    ['redis://a.example', { kind: 'single', nodes: [{ host: 'a.example', port: 6379 }], tls: false, db: 0 }],
    ['rediss://a.example:6380/3', { nodes: [{ host: 'a.example', port: 6380 }], tls: true, db: 3 }],
    ['valkeys://[::1]:1', { nodes: [{ host: '::1', port: 1 }], tls: true }],
    ['redis://user:p%40ss@a', { username: 'user', password: 'p@ss' }],
    ['redis://:secret@a', { username: undefined, password: 'secret' }],
    ['redis://user@a', { username: 'user', password: undefined }],
    ['REDIS://a', { tls: false }],
    [
      'redis+cluster://a:1,b:2,c',
      {
        kind: 'cluster',
        tls: false,
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
          { host: 'c', port: 6379 },
        ],
      },
    ],
    ['rediss+cluster://:secret@a', { kind: 'cluster', tls: true, password: 'secret' }],
  ])('reads %s', (url, address) => expect(parseRedisUrl(url)).toMatchObject(address));

  test.each([
    '',
    'a.example:6379',
    'http://a.example',
    'redis://',
    'redis://a,b',
    'redis://a:0',
    'redis://a:70000',
    'redis://a/x',
    'redis://a b',
    'redis://u:%zz@a',
    'redis+cluster://a,b/1',
    'redis+cluster://a,,b',
  ])('refuses "%s"', (url) => expect(() => parseRedisUrl(url)).toThrow(TypeError));

  test('says nothing of the URL in its errors', () => {
    expect(() => parseRedisUrl('redis://user:hunter2@a b')).toThrow(/^(?!.*hunter2)/);
  });
});

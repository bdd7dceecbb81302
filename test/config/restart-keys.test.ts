import { describe, expect, test } from '@jest/globals';
import { changedAtRestart } from '../../src/config/bound-values.js';
import { restartKeys } from '../../src/config/restart-keys.js';
import { type Draft, read } from './config-file.js';

const bound = (draft: Draft) => read(draft).bound;
const changed = (before: Draft, after: Draft) => changedAtRestart(bound(before), bound(after));

describe('restartKeys()', () => {
  test('are the keys that are bound at the start', () => {
    const paths = restartKeys().map(({ path }) => path.join('.'));
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['server.grpc', 'server.admin', 'server.public', 'server.workers', 'server.tls'],
        ...['jwks.snapshotDir', 'replay.store', 'replay.maxEntries', 'redis.url'],
      ]),
    );
  });
});

describe('changedAtRestart()', () => {
  test.each<[name: string, before: Draft, after: Draft, paths: string[]]>([
    ['nothing', {}, {}, []],
    ['a live key', { dpop: { mode: 'off' } }, { dpop: { mode: 'required' } }, []],
    ['an address', {}, { server: { grpc: '0.0.0.0:1' } }, ['server.grpc']],
    ['a key that is gone', { server: { public: '0.0.0.0:1' } }, {}, ['server.public']],
    ['the default, written out', {}, { server: { grpc: '127.0.0.1:9191' } }, []],
    [
      'a store and its address',
      {},
      { replay: { store: 'redis' }, redis: { url: 'redis://h' } },
      ['redis.url', 'replay.store'],
    ],
    ['what happens while a store is out of reach', {}, { replay: { onUnavailable: 'allow' } }, []],
  ])('reports %s', (_name, before, after, paths) => {
    expect(changed(before, after).sort()).toEqual(paths);
  });

  test('keeps no value', () => {
    expect(JSON.stringify(bound({ redis: { url: 'redis://:hush@h' } }))).not.toContain('hush');
  });

  test('of TLS counts whether it is there; its material is live', () => {
    expect(restartKeys().find(({ path }) => path.join('.') === 'server.tls')?.applies).toBe('presence');
  });
});

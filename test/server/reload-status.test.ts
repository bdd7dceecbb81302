import { describe, expect, test } from '@jest/globals';
import { ReloadStatus } from '../../src/server/reload-status.js';
import { FakeTime } from '../support/fake-time.js';

const START = { hash: expect.stringMatching(/^[0-9a-f]{16}$/), loadedAt: '2023-11-14T22:13:20.000Z' };

describe('ReloadStatus', () => {
  test('a failed reload leaves hash and time, and says why', async () => {
    const time = new FakeTime();
    const status = new ReloadStatus({ a: '1' }, time);
    await time.advance(1000);
    status.failed(['dpop.mode: must be one of off, optional, required']);
    expect(status.current).toEqual({
      ...START,
      lastReload: {
        outcome: 'failure',
        at: '2023-11-14T22:13:21.000Z',
        problems: ['dpop.mode: must be one of off, optional, required'],
      },
    });
    expect([status.hasFailed, status.loadedAtS]).toEqual([true, 1_700_000_000]);
  });

  test('a good reload changes hash and time', async () => {
    const time = new FakeTime();
    const status = new ReloadStatus({ a: '1' }, time);
    const before = status.current.hash;
    await time.advance(1000);
    status.succeeded({ a: '2' });
    expect(status.current.hash).not.toBe(before);
    expect(status.current.lastReload).toEqual({ outcome: 'success', at: status.current.loadedAt });
    expect([status.hasFailed, status.loadedAtS]).toEqual([false, 1_700_000_001]);
  });

  test('the hash does not depend on where the files are', () => {
    const time = new FakeTime();
    const hashes = [
      { '/a': '1', '/b': '2' },
      { '/c/b': '2', '/c/a': '1' },
    ].map((digests) => new ReloadStatus(digests, time).current.hash);
    expect(hashes[0]).toBe(hashes[1]);
  });

  test('keeps a bounded number of problems', () => {
    const status = new ReloadStatus({}, new FakeTime());
    status.failed(Array<string>(5000).fill('x'));
    expect(status.current.lastReload).toMatchObject({ problems: { length: 20 } });
  });
});

import { describe, expect, test } from '@jest/globals';
import { createMemoryRevocationStore } from '../../src/revocation/memory-store.js';
import { RevocationList } from '../../src/revocation/revocation-list.js';
import { RevocationService } from '../../src/revocation/revocation-service.js';
import { readUpdate, shareRevocations } from '../../src/revocation/shared-revocations.js';
import { connectState, type StateMessage } from '../../src/runtime/shared-state.js';
import { silentLogger } from '../../src/ports.js';
import { NOW_MS } from '../support/tokens.js';
import { manualEvery, revocation } from './revocations.js';

const clock = { now: () => NOW_MS };
const { every } = manualEvery();

/** A list in another process: everything crosses as JSON. */
function remoteList(): { list: RevocationList; receive: (message: StateMessage) => void } {
  const list = new RevocationList({ clock, every });
  list.staleSinceMs = -Infinity;
  return { list, receive: ({ value }) => list.update(readUpdate(JSON.parse(JSON.stringify(value)))) };
}

describe('shareRevocations()', () => {
  test('gives a snapshot of any size, in step only when all of it is there, and then each change', async () => {
    const service = new RevocationService({
      store: createMemoryRevocationStore(),
      clock,
      every,
      logger: silentLogger,
      maxEntries: () => 10_000,
      metrics: { revoked: () => undefined },
    });
    await service.open();
    for (let i = 0; i < 2500; i++)
      await service.revoke(revocation({ kind: 'jti', value: `j${i}` }, { reason: 'ours' }));
    const source = shareRevocations(service);
    const stale = source.snapshot().map(({ value }) => readUpdate(value).staleSinceMs);
    expect(stale).toEqual([-Infinity, -Infinity, undefined]);

    const remote = remoteList();
    const end = connectState(source, remote.receive);
    expect([remote.list.index.size, remote.list.staleForMs(NOW_MS)]).toEqual([2500, 0]);
    const one = await service.revoke(revocation({ kind: 'sub', value: 'u' }, { beforeS: 1, reason: 'ours' }));
    expect(remote.list.index.get(one.id)).toEqual({ ...one, reason: undefined });
    await service.withdraw(one.id);
    expect(remote.list.index.get(one.id)).toBeUndefined();
    end();
    await service.revoke(revocation({ kind: 'jti', value: 'later' }));
    expect(remote.list.index.size).toBe(2500);
  });
});

import { describe, expect, test } from '@jest/globals';
import { createHttpClient } from '../../src/http/bounded-client.js';
import { createNetworkFetcher } from '../../src/jwks/network-fetcher.js';
import { IntrospectionUnavailableError } from '../../src/introspection/types.js';
import type { AskIntrospection } from '../../src/introspections.js';
import type { KeySetFetcher, KeySetRequest } from '../../src/jwks/ports.js';
import type { IpcPeer } from '../../src/server/ipc.js';
import type { PrimaryCalls } from '../../src/server/worker-contract.js';
import {
  createPrimaryFetcher,
  createPrimaryIntrospection,
  createPrimaryReplay,
  primaryHandlers,
} from '../../src/server/primary-services.js';
import { createGuardedReplay } from '../../src/stores/guarded-replay.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { ReplayFullError, UnprovableProofError, type ReplayStore } from '../../src/stores/replay-store.js';
import { answersText, FakeIssuer } from '../support/fake-issuer.js';
import { spendableProof } from '../support/spendable-proof.js';
import { NOW_MS } from '../support/tokens.js';

const noFetcher: KeySetFetcher = { fetch: () => Promise.reject(new Error('not asked')) };

const noIntrospection: AskIntrospection = ({ issuer }) =>
  Promise.reject(new IntrospectionUnavailableError(issuer, 'not_configured', 3));

/** A worker's end; messages are copied as between processes. */
function peerOf(services: Partial<Parameters<typeof primaryHandlers>[0]>): IpcPeer<PrimaryCalls> {
  const handlers = primaryHandlers({
    fetcher: noFetcher,
    replay: createReplayMemory({ maxEntries: 1, clock: { now: () => NOW_MS } }),
    introspect: noIntrospection,
    askPersonalToken: () => Promise.resolve({ retryAfterS: 1 }),
    ...services,
  }) as Record<string, (params: never) => unknown>;
  const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  return {
    call: async (method, params) => copy(await handlers[method]!(copy(params) as never)) as never,
    close: () => undefined,
  };
}

function workerOf(replay: ReplayStore): ReplayStore {
  return createPrimaryReplay(peerOf({ replay }));
}

describe('createPrimaryReplay()', () => {
  const clock = { nowMs: NOW_MS, now: () => clock.nowMs };
  const window = { maxAgeMs: 60_000, clockToleranceMs: 10_000 };
  const primary = createGuardedReplay(createReplayMemory({ maxEntries: 32, clock }), {
    clock,
    window,
    beganAtMs: NOW_MS,
  });
  const proof = (key: string, issuedAtMs: number, jkt = key) =>
    spendableProof(key, issuedAtMs + 70_000, { issuedAtMs, jkt });

  test("the beginning is the primary's: a worker that replaces another accepts at once [security 5]", async () => {
    expect(await workerOf(primary).spend(proof('a', NOW_MS + 1000))).toBe(true);
    clock.nowMs += 20_000;
    const replacement = workerOf(primary);
    expect(await replacement.spend(proof('b', NOW_MS + 2000))).toBe(true);
    expect(await replacement.spend(proof('a', NOW_MS + 1000))).toBe(false);
    await expect(replacement.spend(proof('c', NOW_MS - 1000))).rejects.toThrow(UnprovableProofError);
    expect(replacement.isAvailable()).toBe(true);
  });

  test('one key cannot shut out the others [one key]', async () => {
    const worker = workerOf(primary);
    for (let i = 0; i < 16; i++) await worker.spend(proof(`x${i}`, clock.nowMs, 'greedy'));
    await expect(worker.spend(proof('x16', clock.nowMs, 'greedy'))).rejects.toThrow(ReplayFullError);
    expect(await worker.spend(proof('y', clock.nowMs, 'other'))).toBe(true);
  });
});

describe('createPrimaryFetcher()', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);

  test('a key set that is nested too deeply fails as it does in one process [security 14]', async () => {
    const issuer = await FakeIssuer.start();
    issuer.behaviour.jwks = answersText(`{"keys":[${JSON.stringify({ kty: 'EC' })}],"x":${deep}}`);
    const limits = { timeoutMs: 10_000, maxBytes: 1_000_000, allowHttp: false };
    const http = createHttpClient(limits);
    const alone = createNetworkFetcher(http, { clock: { now: () => NOW_MS } });
    const worker = createPrimaryFetcher(peerOf({ fetcher: alone }));
    const request = {
      issuer: issuer.issuer,
      source: { kind: 'jwksUri', jwksUri: issuer.jwksUri },
      settings: { ...limits, minTtlMs: 0, maxTtlMs: 0, cooldownMs: 0, staleIfErrorMs: 0 },
      rediscover: false,
    } as KeySetRequest;
    await expect(alone.fetch(request)).rejects.toThrow(/nested/);
    await expect(worker.fetch(request)).rejects.toThrow(/invalid_json/);
    await http.close();
    await issuer.stop();
  });
});

describe('createPrimaryIntrospection()', () => {
  const question = { issuer: 'https://a.example', token: 't', hash: 'h' };

  test('gives what the primary learns', async () => {
    const answer = { active: true, text: '{"active":true}', untilMs: 5 } as const;
    const ask = createPrimaryIntrospection(peerOf({ introspect: () => Promise.resolve(answer) }));
    expect(await ask(question)).toEqual(answer);
  });

  test('fails as the primary fails, and where the primary does not answer', async () => {
    await expect(createPrimaryIntrospection(peerOf({}))(question)).rejects.toMatchObject({
      name: 'IntrospectionUnavailableError',
      reason: 'not_configured',
      retryAfterS: 3,
    });
    const gone: IpcPeer<PrimaryCalls> = {
      call: () => Promise.reject(new Error('gone')),
      close: () => undefined,
    };
    await expect(createPrimaryIntrospection(gone)(question)).rejects.toMatchObject({ reason: 'no_primary' });
  });
});

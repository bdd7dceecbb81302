import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../src/ports.js';
import {
  createAuthenticator,
  InvalidTokenError,
  TooManyFailuresError,
} from '../../src/token-service/authenticator.js';
import { createFailureLimits } from '../../src/token-service/failure-limits.js';
import { formatPersonalAccessToken } from '../../src/token-service/personal-access-token.js';
import { createScryptQueue } from '../../src/token-service/scrypt-queue.js';
import { createSecretHasher } from '../../src/token-service/secret-hasher.js';
import type { TokenRecord } from '../../src/token-service/store.js';
import { createMemoryTokenStore } from '../../src/token-service/stores/memory.js';

const NOW_S = 1_800_000_000;
const SECRET = 'S'.repeat(43);
const textOf = (tokenId: string, secret = SECRET) => formatPersonalAccessToken('pat_', { tokenId, secret });

async function setUp({ failures = 3, ln = 14 } = {}) {
  let nowMs = NOW_S * 1000;
  const clock = { now: () => nowMs };
  const store = createMemoryTokenStore(clock);
  const queue = createScryptQueue({ concurrency: 2, queue: 64 });
  let hashes = 0;
  const hasherOf = (cost: number) =>
    createSecretHasher({
      cost: { ln: cost, r: 8, p: 1 },
      queue: { hash: (work) => (hashes++, queue.hash(work)) },
      clock,
    });
  const phc = await hasherOf(14).hash(SECRET);
  const authenticator = createAuthenticator({
    store,
    hasher: hasherOf(ln),
    limits: createFailureLimits({ failures, windowMs: 60_000, clock }),
    prefix: 'pat_',
    bootstrapPhc: phc,
    clock,
    logger: silentLogger,
  });
  const add = (tokenId: string, more: Partial<TokenRecord> = {}) =>
    store.insert({
      tokenId,
      owner: 'o',
      isAdmin: false,
      roles: [],
      scopes: [],
      createdAt: 1,
      secretPhc: phc,
      ...more,
    });
  await add('robot');
  hashes = 0;
  return { authenticator, store, add, phc, hashes: () => hashes, wait: (ms: number) => (nowMs += ms) };
}

describe('createAuthenticator()', () => {
  test('accepts a token and notes its use', async () => {
    const { authenticator, store } = await setUp();
    expect(await authenticator.authenticate(textOf('robot'), '::1')).toMatchObject({ tokenId: 'robot' });
    expect((await store.get('robot'))?.lastUsedAt).toBe(NOW_S);
  });

  test('unknown, wrong, revoked and expired: one error, one hash each', async () => {
    const { authenticator, add, store, hashes } = await setUp({ failures: 10 });
    await add('expired', { expiresAt: NOW_S });
    await add('revoked');
    await store.revoke('revoked', { revokedAt: NOW_S });
    await authenticator.authenticate(textOf('robot'), '::1');
    const before = hashes();
    const texts = [textOf('nobody'), textOf('robot', 'W'.repeat(43)), textOf('revoked'), textOf('expired')];
    for (const [i, text] of texts.entries()) {
      await expect(authenticator.authenticate(text, '::1')).rejects.toThrow(InvalidTokenError);
      expect(hashes()).toBe(before + i + 1);
    }
  });

  test('a wrong checksum costs neither look-up nor hash', async () => {
    const { authenticator, hashes } = await setUp();
    const text = textOf('robot');
    const wrong = text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
    await expect(authenticator.authenticate(wrong, '::1')).rejects.toThrow(InvalidTokenError);
    expect(hashes()).toBe(0);
  });

  test('a remembered secret does not outlive a revocation', async () => {
    const { authenticator, store } = await setUp();
    await authenticator.authenticate(textOf('robot'), '::1');
    await store.revoke('robot', { revokedAt: NOW_S });
    await expect(authenticator.authenticate(textOf('robot'), '::1')).rejects.toThrow(InvalidTokenError);
  });

  test('bootstrap is an administrator that no store knows', async () => {
    const { authenticator, store } = await setUp();
    expect(await authenticator.authenticate(textOf('bootstrap'), '::1')).toMatchObject({ isAdmin: true });
    expect(await store.get('bootstrap')).toBeUndefined();
  });

  test('a hash of lower cost is made again on use', async () => {
    const { authenticator, store, phc } = await setUp({ ln: 15 });
    await authenticator.authenticate(textOf('robot'), '::1');
    let now = phc;
    while (now === phc) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      now = (await store.get('robot'))!.secretPhc;
    }
    expect(now).toMatch(/ln=15/);
    expect(await authenticator.authenticate(textOf('robot'), '::1')).toMatchObject({ tokenId: 'robot' });
  });
});

describe('createFailureLimits()', () => {
  const fail = async (
    authenticator: { authenticate(t: string, a: string): Promise<unknown> },
    id: string,
    times: number,
    address = '::1',
  ) => {
    for (let i = 0; i < times; i++)
      await authenticator.authenticate(textOf(id, 'W'.repeat(43)), address).catch(() => undefined);
  };

  test('an id that failed too often is refused there before any work, with the right secret too, for one window', async () => {
    const { authenticator, add, hashes, wait } = await setUp();
    await add('other');
    await fail(authenticator, 'robot', 3);
    const before = hashes();
    const refused = authenticator.authenticate(textOf('robot'), '::1');
    await expect(refused).rejects.toThrow(TooManyFailuresError);
    await expect(refused).rejects.toMatchObject({ retryAfterS: 60 });
    expect(hashes()).toBe(before);
    await expect(authenticator.authenticate(textOf('other'), '::1')).resolves.toBeDefined();
    await expect(authenticator.authenticate(textOf('robot'), '::2')).resolves.toBeDefined();
    wait(60_000);
    await expect(authenticator.authenticate(textOf('robot'), '::1')).resolves.toBeDefined();
  });

  test('an address from which many ids fail is refused as a whole', async () => {
    const { authenticator } = await setUp();
    for (const id of ['a', 'b', 'c']) await fail(authenticator, id, 1);
    await expect(authenticator.authenticate(textOf('robot'), '::1')).rejects.toThrow(TooManyFailuresError);
    await expect(authenticator.authenticate(textOf('robot'), '::2')).resolves.toBeDefined();
  });

  test('successes do not count', async () => {
    const { authenticator } = await setUp();
    for (let i = 0; i < 20; i++) await authenticator.authenticate(textOf('robot'), '::1');
  });
});

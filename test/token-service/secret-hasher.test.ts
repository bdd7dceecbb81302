import { scryptSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { formatScryptPhc, parseScryptPhc } from '../../src/token-service/scrypt-phc.js';
import {
  createScryptQueue,
  ScryptBusyError,
  type ScryptQueue,
} from '../../src/token-service/scrypt-queue.js';
import { createSecretHasher } from '../../src/token-service/secret-hasher.js';

const COST = { ln: 14, r: 8, p: 1 };
const SALT = Buffer.alloc(16, 7);
const phcOf = (secret: string, ln = 14) =>
  formatScryptPhc({
    ln,
    r: 8,
    p: 1,
    salt: SALT,
    hash: scryptSync(secret, SALT, 32, { N: 2 ** ln, r: 8, p: 1, maxmem: 2 ** 28 }),
  });

describe('parseScryptPhc()', () => {
  const good = phcOf('s');
  test('reads what formatScryptPhc() writes', () => {
    expect(good).toMatch(/^\$scrypt\$ln=14,r=8,p=1\$BwcHBwcHBwcHBwcHBwcHBw\$[A-Za-z0-9+/]{43}$/);
    expect(parseScryptPhc(good)).toMatchObject({ ln: 14, r: 8, p: 1, salt: SALT });
  });

  const [, , cost, salt, hash] = good.split('$');
  test.each([
    ['too cheap', good.replace('ln=14', 'ln=13')],
    ['too expensive', good.replace('ln=14', 'ln=18')],
    ['another block size', good.replace('r=8', 'r=16')],
    ['no parallelization', good.replace('p=1', 'p=0')],
    ['too much parallelization', good.replace('p=1', 'p=5')],
    ['a leading zero', good.replace('r=8', 'r=08')],
    ['parameters in another order', `$scrypt$r=8,ln=14,p=1$${salt}$${hash}`],
    ['another function', good.replace('scrypt', 'argon2id')],
    ['padding', `${good}=`],
    ['base64url', `$scrypt$${cost}$${salt}$${'-'.repeat(43)}`],
    ['spare bits', `$scrypt$${cost}$${salt}$${'A'.repeat(42)}B`],
    ['a short salt', `$scrypt$${cost}$AAAA$${hash}`],
    ['a short hash', `$scrypt$${cost}$${salt}$AAAA`],
    ['a line feed', `${good}\n`],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => expect(parseScryptPhc(text)).toBeUndefined());

  test.each([15, 16, 17])('takes ln=%d', (ln) =>
    expect(parseScryptPhc(good.replace('ln=14', `ln=${ln}`))).toBeDefined(),
  );
});

describe('createScryptQueue()', () => {
  const work = { ...COST, secret: 's', salt: SALT, bytes: 32 };

  test('runs a few, lets some wait, refuses the rest, and goes on afterwards', async () => {
    const queue = createScryptQueue({ concurrency: 1, queue: 1 });
    const results = await Promise.allSettled([queue.hash(work), queue.hash(work), queue.hash(work)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({ reason: expect.any(ScryptBusyError) });
    expect((await queue.hash(work)).equals(scryptSync('s', SALT, 32, { N: 2 ** 14 }))).toBe(true);
  });

  test('the highest cost fits into the memory that it allows', async () => {
    const queue = createScryptQueue({ concurrency: 1, queue: 1 });
    expect(await queue.hash({ ...work, ln: 17, p: 4 })).toHaveLength(32);
  });
});

/** Counts what is hashed. */
function counted(): ScryptQueue & { works: { ln: number; secret: string }[] } {
  const queue = createScryptQueue({ concurrency: 2, queue: 64 });
  const works: { ln: number; secret: string }[] = [];
  return { works, hash: (work) => (works.push(work), queue.hash(work)) };
}

describe('createSecretHasher()', () => {
  const create = (options: { rememberMs?: number; maxRemembered?: number } = {}) => {
    const queue = counted();
    let nowMs = 1_000;
    const hasher = createSecretHasher({ cost: COST, queue, clock: { now: () => nowMs }, ...options });
    return { hasher, queue, wait: (ms: number) => (nowMs += ms) };
  };

  test('what it hashes it verifies', async () => {
    const { hasher } = create();
    const phc = await hasher.hash('secret');
    expect(await hasher.verify(phc, 'secret')).toBe(true);
    expect(await hasher.verify(phc, 'Secret')).toBe(false);
    expect(await hasher.hash('secret')).not.toBe(phc);
  });

  test('an unknown token costs the same work as a wrong secret', async () => {
    const { hasher, queue } = create();
    expect(await hasher.verify(undefined, 'x')).toBe(false);
    expect(await hasher.verify(phcOf('s'), 'x')).toBe(false);
    expect(queue.works).toHaveLength(2);
    expect(queue.works[0]).toMatchObject({ ln: 14, r: 8, p: 1, bytes: 32 });
  });

  test('a hash that cannot be read is never equal', async () => {
    const { hasher } = create();
    expect(await hasher.verify('$scrypt$broken', 'x')).toBe(false);
  });

  test('an accepted secret is remembered for its hash, and for a while', async () => {
    const { hasher, queue, wait } = create({ rememberMs: 1_000 });
    const phc = phcOf('s');
    for (let i = 0; i < 3; i++) expect(await hasher.verify(phc, 's')).toBe(true);
    expect(queue.works).toHaveLength(1);
    wait(1_000);
    expect(await hasher.verify(phc, 's')).toBe(true);
    expect(queue.works).toHaveLength(2);
    expect(await hasher.verify(phcOf('other'), 's')).toBe(false);
    expect(queue.works).toHaveLength(3);
  });

  test('a wrong secret is never remembered', async () => {
    const { hasher, queue } = create();
    for (let i = 0; i < 2; i++) expect(await hasher.verify(phcOf('s'), 'x')).toBe(false);
    expect(queue.works).toHaveLength(2);
  });

  test('what is remembered is bounded', async () => {
    const { hasher, queue } = create({ maxRemembered: 1 });
    await hasher.verify(phcOf('a'), 'a');
    await hasher.verify(phcOf('b'), 'b');
    await hasher.verify(phcOf('a'), 'a');
    expect(queue.works).toHaveLength(3);
  });

  test('the same question at the same time is asked once', async () => {
    const { hasher, queue } = create();
    const answers = await Promise.all(Array.from({ length: 100 }, () => hasher.verify(phcOf('s'), 's')));
    expect(new Set(answers)).toEqual(new Set([true]));
    expect(queue.works).toHaveLength(1);
  });

  test('isOutdated(): cheaper than today', () => {
    const { hasher } = create();
    expect(hasher.isOutdated(phcOf('s'))).toBe(false);
    expect(hasher.isOutdated(phcOf('s', 15))).toBe(false);
    const today = createSecretHasher({
      cost: { ...COST, ln: 15 },
      queue: counted(),
      clock: { now: () => 0 },
    });
    expect(today.isOutdated(phcOf('s'))).toBe(true);
  });
});

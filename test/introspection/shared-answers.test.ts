import { describe, expect, test } from '@jest/globals';
import { createAnswerMemory } from '../../src/introspection/answer-memory.js';
import { createSealedAnswers, type TextStore } from '../../src/introspection/shared-answers.js';
import type { IntrospectionAnswer } from '../../src/introspection/types.js';

const clock = { nowMs: 1000, now: () => clock.nowMs };
const answer = (until = 6000): IntrospectionAnswer => ({
  active: true,
  text: '{"active":true,"sub":"ann"}',
  untilMs: until,
});

function memoryStore() {
  const values = new Map<string, string>();
  const ttls: number[] = [];
  const store: TextStore = {
    get: (key) => Promise.resolve(values.get(key)),
    set: (key, value, ttlMs) => {
      values.set(key, value);
      ttls.push(ttlMs);
      return Promise.resolve();
    },
  };
  return { store, values, ttls };
}
const sealed = (store: TextStore, secret = 'secret', section = 'section') =>
  createSealedAnswers({ store, secret, section, clock });

describe('createSealedAnswers()', () => {
  test('gives to a replica of the same configuration what another one learned', async () => {
    const { store, ttls } = memoryStore();
    await sealed(store).set('hash', answer());
    expect(await sealed(store).get('hash')).toEqual(answer());
    expect(ttls).toEqual([5000]);
  });

  test('shows neither token nor claim to who reads the store', async () => {
    const { store, values } = memoryStore();
    await sealed(store).set('hash-of-a-token', answer());
    const all =
      JSON.stringify([...values]) + Buffer.from([...values.values()][0]!, 'base64url').toString('latin1');
    for (const secret of ['hash-of-a-token', 'ann', 'sub', 'active']) expect(all).not.toContain(secret);
  });

  test.each([
    ['another secret', 'other', 'section'],
    ['another section', 'secret', 'other'],
  ])('finds nothing under %s', async (_, secret, section) => {
    const { store } = memoryStore();
    await sealed(store).set('hash', answer());
    expect(await sealed(store, secret, section).get('hash')).toBeUndefined();
  });

  test('believes nothing that was written by somebody else, or moved', async () => {
    const { store, values } = memoryStore();
    await sealed(store).set('a', answer());
    await sealed(store).set('b', { active: false, untilMs: 6000 });
    const [nameOfA, nameOfB] = [...values.keys()] as [string, string];
    values.set(nameOfB, values.get(nameOfA)!);
    expect(await sealed(store).get('b')).toBeUndefined();
    for (const garbage of ['', 'x', JSON.stringify(answer()), `${values.get(nameOfA)!}AAAA`]) {
      values.set(nameOfA, garbage);
      expect(await sealed(store).get('a')).toBeUndefined();
    }
  });

  test('keeps nothing that is over, and gives nothing that is', async () => {
    const { store, values } = memoryStore();
    await sealed(store).set('hash', answer(1000));
    expect(values.size).toBe(0);
    await sealed(store).set('hash', answer(1001));
    clock.nowMs = 1001;
    expect(await sealed(store).get('hash')).toBeUndefined();
    clock.nowMs = 1000;
  });

  test('knows nothing while the store fails', async () => {
    const failing = {
      get: () => Promise.reject(new Error('down')),
      set: () => Promise.reject(new Error('down')),
    };
    await sealed(failing).set('hash', answer());
    expect(await sealed(failing).get('hash')).toBeUndefined();
  });
});

describe('createAnswerMemory()', () => {
  test('remembers until the answer is over, and asks the next one for what it does not know', async () => {
    const { store, values } = memoryStore();
    const memory = createAnswerMemory(clock, sealed(store));
    await sealed(store).set('hash', answer());
    expect(await memory.get('hash')).toEqual(answer());
    values.clear();
    expect(await memory.get('hash')).toEqual(answer());
    clock.nowMs = 6000;
    expect(await memory.get('hash')).toBeUndefined();
    clock.nowMs = 1000;
  });

  test('gives what it learns to the next one', async () => {
    const { store, values } = memoryStore();
    await createAnswerMemory(clock, sealed(store)).set('hash', answer());
    expect(values.size).toBe(1);
  });
});

import { describe, expect, test } from '@jest/globals';
import { connectState, createSharedState, type StateMessage } from '../../src/runtime/shared-state.js';

const message = (value: unknown): StateMessage => ({ topic: 'revocations', value });

describe('createSharedState()', () => {
  test('hands messages to the subscriber of their topic', () => {
    const state = createSharedState();
    const seen: unknown[] = [];
    state.subscribe('revocations', (value) => seen.push(value));
    state.receive(message(1));
    expect(seen).toEqual([1]);
  });

  test('keeps what comes before the subscriber, in order', () => {
    const state = createSharedState();
    const seen: unknown[] = [];
    for (const value of [1, 2, 3]) state.receive(message(value));
    state.subscribe('revocations', (value) => seen.push(value));
    state.receive(message(4));
    expect(seen).toEqual([1, 2, 3, 4]);
  });
});

describe('connectState()', () => {
  test('sends the snapshot and each change until it is ended', () => {
    const seen: unknown[] = [];
    const listeners = new Set<(change: StateMessage) => void>();
    const source = {
      snapshot: () => [message('all')],
      onChange: (listener: (change: StateMessage) => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    const end = connectState(source, ({ value }) => void seen.push(value));
    for (const listener of listeners) listener(message('one more'));
    end();
    expect(listeners.size).toBe(0);
    expect(seen).toEqual(['all', 'one more']);
  });
});

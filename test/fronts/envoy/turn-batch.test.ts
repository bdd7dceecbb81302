import { describe, expect, test } from '@jest/globals';
import { createTurnBatch } from '../../../src/fronts/envoy/turn-batch.js';

function setUp() {
  const handled: string[][] = [];
  const turns: (() => void)[] = [];
  const add = createTurnBatch<string>(
    (items) => handled.push([...items]),
    (run) => turns.push(run),
  );
  return { add, handled, turns, endTurn: () => turns.splice(0).forEach((run) => run()) };
}

describe('createTurnBatch()', () => {
  test('hands over what came in a turn, in its order, when the turn is over', () => {
    const { add, handled, turns, endTurn } = setUp();
    add('a');
    add('b');
    expect([handled, turns.length]).toEqual([[], 1]);
    endTurn();
    expect(handled).toEqual([['a', 'b']]);
  });

  test('starts again with each turn', () => {
    const { add, handled, endTurn } = setUp();
    add('a');
    endTurn();
    add('b');
    endTurn();
    endTurn();
    expect(handled).toEqual([['a'], ['b']]);
  });

  test('what comes while a batch is handled waits for the next turn', () => {
    const handled: string[][] = [];
    const turns: (() => void)[] = [];
    const add = createTurnBatch<string>(
      (items) => {
        handled.push([...items]);
        if (items.includes('a')) add('late');
      },
      (run) => turns.push(run),
    );
    add('a');
    add('b');
    turns.shift()?.();
    expect(handled).toEqual([['a', 'b']]);
    turns.shift()?.();
    expect(handled).toEqual([['a', 'b'], ['late']]);
  });

  test('turns are those of the event loop where nothing else is given', async () => {
    const seen = await new Promise<readonly number[]>((resolve) => {
      const add = createTurnBatch<number>(resolve);
      for (const item of [1, 2, 3]) add(item);
    });
    expect(seen).toEqual([1, 2, 3]);
  });
});

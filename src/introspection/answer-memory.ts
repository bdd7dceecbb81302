import { LRUCache } from 'lru-cache';
import type { Clock } from '../ports.js';
import type { SharedAnswers } from './shared-answers.js';
import type { IntrospectionAnswer } from './types.js';

const MAX_ENTRIES = 20_000;
const MAX_BYTES = 16_777_216;
const ENTRY_BYTES = 400;

/**
 * Keeps answers in memory, bounded in number and bytes: in the primary, for all of its workers.
 *
 * @param next asked where the memory knows nothing, and given what it learns
 */
export function createAnswerMemory(clock: Clock, next?: SharedAnswers): SharedAnswers {
  const known = new LRUCache<string, IntrospectionAnswer>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: (answer) => ENTRY_BYTES + (answer.active ? 2 * answer.text.length : 0),
  });
  const recall = (hash: string): IntrospectionAnswer | undefined => {
    const answer = known.get(hash);
    if (answer === undefined || clock.now() < answer.untilMs) return answer;
    known.delete(hash);
    return undefined;
  };
  return {
    async get(hash) {
      const own = recall(hash);
      if (own !== undefined) return own;
      const other = await next?.get(hash);
      if (other !== undefined) known.set(hash, other);
      return other;
    },
    async set(hash, answer) {
      if (clock.now() < answer.untilMs) known.set(hash, answer);
      await next?.set(hash, answer);
    },
  };
}

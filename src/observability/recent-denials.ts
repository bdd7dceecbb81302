import type { Decision } from '../authz/types.js';
import type { Clock } from '../ports.js';
import { describeDecision } from './decision-log.js';

/** A refused request as its decision line has it, bounded and without credentials; `time` in seconds. */
export interface RecentDenial {
  readonly time: number;
  /** The HTTP status of the refusal. */
  readonly status: number;
  readonly [field: string]: unknown;
}

/** The requests that were refused last. */
export interface RecentDenials {
  /** Keeps a decision, if it is a denial. */
  note(decision: Decision): void;
  /** @returns the latest, newest first */
  latest(limit: number): readonly RecentDenial[];
}

/** How many are kept at most; each is a kilobyte or two. */
export const MAX_DENIALS = 200;
/** How many are described per second at most: describing one takes time, and a flood must not decide how much. */
const MAX_PER_SECOND = 20;

/** Keeps the latest denials in memory, for the page `/admin/`. */
export function createRecentDenials(clock: Clock): RecentDenials {
  const kept: RecentDenial[] = [];
  let second = 0;
  let inSecond = 0;
  return {
    note(decision) {
      if (decision.kind !== 'deny') return;
      const time = Math.floor(clock.now() / 1000);
      if (time !== second) [second, inSecond] = [time, 0];
      if (++inSecond > MAX_PER_SECOND) return;
      kept.push({ ...describeDecision(decision), time, status: decision.refusal.status });
      if (kept.length > MAX_DENIALS) kept.shift();
    },
    latest: (limit) => kept.slice(-limit).reverse(),
  };
}

/** Puts the denials of several processes together, newest first. */
export function mergeDenials(lists: readonly (readonly RecentDenial[])[], limit: number): RecentDenial[] {
  return lists
    .flat()
    .sort((left, right) => right.time - left.time)
    .slice(0, limit);
}

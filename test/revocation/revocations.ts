/** Revocations, and an interval that only a test lets pass. */
import type { Every } from '../../src/revocation/revocation-list.js';
import {
  createRevocationId,
  type Revocation,
  type RevocationTarget,
} from '../../src/revocation/revocation.js';
import { ISSUER, NOW_MS, NOW_S } from '../support/tokens.js';

let made = 0;

/** A revocation that ends in an hour. */
export function revocation(
  target: Partial<RevocationTarget> & Pick<RevocationTarget, 'kind' | 'value'>,
  over: Partial<Revocation> = {},
): Revocation {
  const endS = over.heldUntilS ?? NOW_S + 3600;
  return {
    id: createRevocationId(NOW_MS, String((made += 1)).padStart(8, '0')),
    issuer: ISSUER,
    expiresAtS: endS,
    heldUntilS: endS,
    createdAtMs: NOW_MS,
    source: 'admin',
    ...target,
    ...over,
  };
}

/** Intervals by hand: `pass()` runs each once. */
export function manualEvery(): { every: Every; pass: () => void; running: () => number } {
  const runs = new Set<() => void>();
  return {
    every: (_intervalMs, run) => {
      runs.add(run);
      return () => void runs.delete(run);
    },
    pass: () => [...runs].forEach((run) => run()),
    running: () => runs.size,
  };
}

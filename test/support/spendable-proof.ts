import type { SpendableProof } from '../../src/stores/replay-store.js';

/** A proof of a key of its own, unless told otherwise, that is issued a minute before it ends. */
export function spendableProof(
  replayKey: string,
  expiresAtMs: number,
  over: Partial<SpendableProof> = {},
): SpendableProof {
  return { jkt: replayKey, replayKey, issuedAtMs: expiresAtMs - 60_000, expiresAtMs, ...over };
}

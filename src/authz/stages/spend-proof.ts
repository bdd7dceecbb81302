import type { ReplayStore } from '../../stores/replay-store.js';
import {
  ReplayDisconnectedError,
  ReplayFullError,
  ReplayUnavailableError,
  UnprovableProofError,
} from '../../stores/replay-store.js';
import { Denial } from '../denial.js';
import type { GateMetrics, Stage, StageResult } from '../types.js';

/** What the stage needs. */
export interface SpendProofOptions {
  readonly store: ReplayStore;
  /** `replay.onUnavailable`: what happens to a proof while the store is out of reach. */
  readonly onUnavailable: 'deny' | 'allow';
  readonly metrics: Pick<GateMetrics, 'dpopProof'>;
}

/** For Retry-After: stores come back within seconds, or not soon. */
const RETRY_AFTER_S = 1;

/**
 * Creates the stage that spends a proof: the last check of all, so that a proof refused for any other reason is not
 * used up. A proof that a policy does not consume is left to the verifier behind the gate.
 *
 * @throws Denial dpop_proof_replayed, replay_unavailable, dpop_proof_time where the store cannot know
 *   whether the proof was spent; deadline_exceeded where the client was answered already
 * @see RFC 9449 section 11.1
 */
export function createSpendProofStage(options: SpendProofOptions): Stage {
  const { store, metrics } = options;
  const answer = (isFirstUse: boolean): StageResult => {
    metrics.dpopProof(isFirstUse ? 'accepted' : 'dpop_proof_replayed');
    if (!isFirstUse) throw new Denial('dpop_proof_replayed');
    return undefined;
  };
  const fail = (error: unknown): StageResult => judgeStoreError(error, options);

  return {
    name: 'spend-proof',
    run(ctx) {
      const { proof, match } = ctx;
      if (proof === undefined) return undefined;
      // The client was refused already, and may send the same proof again.
      if (ctx.isAnswered) throw new Denial('deadline_exceeded');
      if (match?.policy.consumeProof === false) {
        metrics.dpopProof('accepted_unspent');
        return undefined;
      }
      let spent;
      try {
        spent = store.spend(proof);
      } catch (error) {
        return fail(error);
      }
      return typeof spent === 'boolean' ? answer(spent) : spent.then(answer, fail);
    },
  };
}

/** An error that is not the store's own is a bug of ours, and never a reason to let a proof pass. */
function judgeStoreError(error: unknown, options: SpendProofOptions): StageResult {
  if (error instanceof UnprovableProofError) {
    options.metrics.dpopProof('dpop_proof_time');
    throw new Denial('dpop_proof_time');
  }
  const isUnavailable = error instanceof ReplayUnavailableError && !(error instanceof ReplayFullError);
  if (isUnavailable && options.onUnavailable === 'allow') {
    options.metrics.dpopProof('accepted_unchecked');
    return undefined;
  }
  options.metrics.dpopProof('replay_unavailable');
  throw new Denial('replay_unavailable', {
    retryAfterS: RETRY_AFTER_S,
    cause: error,
    ...(error instanceof ReplayDisconnectedError ? { isOutage: true } : {}),
  });
}

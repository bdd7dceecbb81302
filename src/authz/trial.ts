/** Tries a policy's shadow after each decision of the live one, and tells what it would have said. */
import { evaluateShadow, type ShadowOutcome } from './shadow.js';
import type { Decision, GateMetrics, Stage } from './types.js';

/** A shadow that would have decided otherwise; for the log. Names and codes alone. */
export interface ShadowDifference {
  readonly policy: string;
  readonly shadow: string;
  readonly live: ShadowOutcome;
  readonly candidate: ShadowOutcome;
  readonly requestId: string | undefined;
}

/** What a trial is made of. */
export interface TrialOptions {
  /** From admit to authorize: nothing that spends, issues or counts. */
  readonly stages: readonly Stage[];
  readonly metrics: Pick<GateMetrics, 'shadow'>;
  onDifference(difference: ShadowDifference): void;
}

/** @returns to be told of every decision; does nothing for policies without a shadow, and never throws */
export function createTrial(options: TrialOptions): (decision: Decision) => void {
  return (decision) => {
    const policy = decision.ctx.match?.policy;
    if (policy?.shadow === undefined) return;
    const { shadow } = policy;
    const tell = (candidate: ShadowOutcome): void => {
      const live = decision.kind;
      options.metrics.shadow(policy.name, shadow.name, live, candidate);
      if (live === candidate) return;
      const { requestId } = decision.ctx.request;
      options.onDifference({ policy: policy.name, shadow: shadow.name, live, candidate, requestId });
    };
    const outcome = evaluateShadow(decision.ctx, shadow, options.stages);
    if (outcome instanceof Promise) void outcome.then(tell);
    else tell(outcome);
  };
}

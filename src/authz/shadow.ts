/**
 * A shadow policy: evaluated beside the live one, counted, never answered with. It runs the same stages on a copy of the
 * context, so nothing it finds, writes or hands out reaches the answer.
 */
import { createContext } from './pipeline.js';
import { runStages } from './run-stages.js';
import type { CheckContext, Decision, GateMetrics, Policy, RouteMatch, Stage } from './types.js';

/** How a policy would have decided. */
export type ShadowOutcome = 'allow' | 'deny';

/** A shadow that would have decided otherwise; for the log. Names and codes, and the client's request id. */
export interface ShadowDifference {
  readonly policy: string;
  readonly shadow: string;
  readonly live: ShadowOutcome;
  readonly candidate: ShadowOutcome;
  /** The client's, unbounded: the log bounds it. */
  readonly requestId: string | undefined;
}

/** What shadows are evaluated with. */
export interface ShadowOptions {
  /** From admit to authorize: nothing that spends, issues or counts. */
  readonly stages: readonly Stage[];
  readonly metrics: Pick<GateMetrics, 'shadow'>;
  onDifference(difference: ShadowDifference): void;
}

/**
 * Creates what compares each decision with that of the policy's shadow.
 *
 * @returns to be called with every decision; does nothing for policies without a shadow, and never throws
 */
export function createShadowComparison(options: ShadowOptions): (decision: Decision) => void {
  return (decision) => {
    const policy = decision.ctx.match?.policy;
    if (policy?.shadow === undefined) return;
    const { shadow } = policy;
    const report = (candidate: ShadowOutcome): void => {
      const live = decision.kind;
      options.metrics.shadow(policy.name, shadow.name, live, candidate);
      if (live === candidate) return;
      const { requestId } = decision.ctx.request;
      options.onDifference({ policy: policy.name, shadow: shadow.name, live, candidate, requestId });
    };
    const outcome = evaluateShadow(decision.ctx, shadow, options.stages);
    if (outcome instanceof Promise) void outcome.then(report);
    else report(outcome);
  };
}

/**
 * Evaluates a policy beside the one that answers. Never throws and never rejects; whatever is thrown counts as `deny`.
 *
 * @param ctx of the live policy, at any stage of it; is not changed
 * @param policy the candidate
 * @param stages from admit to authorize, without the one that spends proofs and without the one that issues tokens:
 *   what they do cannot be undone
 * @returns the outcome, as a promise only where a stage has to wait
 */
export function evaluateShadow(
  ctx: CheckContext,
  policy: Policy,
  stages: readonly Stage[],
): ShadowOutcome | Promise<ShadowOutcome> {
  try {
    const pending = runStages(stages, copyOf(ctx, policy));
    if (pending === undefined) return 'allow';
    return pending.then(
      () => 'allow',
      () => 'deny',
    );
  } catch {
    return 'deny';
  }
}

/** Of the live context only the request, the time and the parameters of the route are shared. */
function copyOf(ctx: CheckContext, policy: Policy): CheckContext {
  const { source, params } = ctx.match ?? NO_MATCH;
  return {
    ...createContext(ctx.request, ctx.nowMs),
    match: { policy, source, params },
  };
}

const NO_MATCH: Omit<RouteMatch, 'policy'> = { source: 'default', params: {} };

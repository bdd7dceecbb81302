/**
 * A policy on trial: evaluated beside the live one, counted, never answered with. It runs the same stages on a copy
 * of the context, so that nothing it finds, writes or hands out reaches the answer.
 */
import { createContext } from './pipeline.js';
import type { CheckContext, Policy, RouteMatch, Stage, StageResult } from './types.js';

/** How a policy would have decided. */
export type ShadowOutcome = 'allow' | 'deny';

/**
 * Evaluates a policy beside the one that answers. Never throws and never rejects; whatever is thrown counts as `deny`.
 *
 * @param ctx of the live policy, at any stage of it; is not changed
 * @param policy the candidate
 * @param stages from admit to authorize, without the one that spends proofs and without the one that issues tokens:
 *   what they do can not be undone
 * @returns the outcome, as a promise only where a stage has to wait
 */
export function evaluateShadow(
  ctx: CheckContext,
  policy: Policy,
  stages: readonly Stage[],
): ShadowOutcome | Promise<ShadowOutcome> {
  return runFrom(0, copyOf(ctx, policy), stages);
}

function runFrom(
  first: number,
  ctx: CheckContext,
  stages: readonly Stage[],
): ShadowOutcome | Promise<ShadowOutcome> {
  for (let index = first; index < stages.length; index++) {
    const result = attempt(stages[index] as Stage, ctx);
    if (result === 'done') return 'allow';
    if (result === 'deny') return 'deny';
    if (result instanceof Promise) return resume(result, index, { ctx, stages });
  }
  return 'allow';
}

function attempt(stage: Stage, ctx: CheckContext): StageResult | 'deny' | Promise<StageResult> {
  try {
    return stage.run(ctx);
  } catch {
    return 'deny';
  }
}

async function resume(
  pending: Promise<StageResult>,
  index: number,
  { ctx, stages }: { ctx: CheckContext; stages: readonly Stage[] },
): Promise<ShadowOutcome> {
  try {
    return (await pending) === 'done' ? 'allow' : await runFrom(index + 1, ctx, stages);
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

import { Denial } from './denial.js';
import type { CheckContext, Stage, StageResult } from './types.js';

/** Called as each stage ends; `explain` prints it. */
export type Trace = (stage: string, outcome: string) => void;

/**
 * Runs stages in order until one allows or all have passed. A stage that has to wait holds the rest; where none does, no
 * promise is made.
 *
 * @returns undefined when every stage answered at once
 * @throws whatever a stage throws; a Denial is how a stage refuses
 */
export function runStages(
  stages: readonly Stage[],
  ctx: CheckContext,
  trace?: Trace,
): Promise<void> | undefined {
  return runFrom(0, { stages, ctx, trace });
}

interface Run {
  readonly stages: readonly Stage[];
  readonly ctx: CheckContext;
  readonly trace: Trace | undefined;
}

function runFrom(first: number, run: Run): Promise<void> | undefined {
  const { stages, ctx, trace } = run;
  for (let index = first; index < stages.length; index++) {
    const stage = stages[index] as Stage;
    const result = trace === undefined ? stage.run(ctx) : runTraced(stage, ctx, trace);
    if (result instanceof Promise) return resume(result, index, run);
    if (result === 'done') return undefined;
  }
  return undefined;
}

async function resume(pending: Promise<StageResult>, index: number, run: Run): Promise<void> {
  if ((await pending) === 'done') return;
  await runFrom(index + 1, run);
}

function runTraced(stage: Stage, ctx: CheckContext, trace: Trace): StageResult | Promise<StageResult> {
  const passed = (result: StageResult): StageResult => {
    trace(stage.name, result === 'done' ? 'allowed here' : 'passed');
    return result;
  };
  const failed = (error: unknown): never => {
    trace(stage.name, error instanceof Denial ? `denied: ${error.code}` : 'failed');
    throw error;
  };
  try {
    const result = stage.run(ctx);
    return result instanceof Promise ? result.then(passed, failed) : passed(result);
  } catch (error) {
    return failed(error);
  }
}

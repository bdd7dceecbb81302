/** One line a decision: who, what, why, how long. Never the credential, a claim that was not asked for, or a query. */
import type { Decision } from '../authz/types.js';
import type { Logger } from '../ports.js';
import { outcomeOf, reasonOf } from './metrics.js';

/** Which decisions are logged. */
export type DecisionLogMode = 'all' | 'denied' | 'none';

/** Longest path or request id in a line, characters: a client must not fill the disk with one request. */
const MAX_TEXT = 256;

/**
 * Creates the writer of decision lines.
 *
 * @param mode read for each decision, because a reload may change it
 */
export function createDecisionLog(
  log: Logger,
  mode: () => DecisionLogMode,
): (decision: Decision, durationMs: number) => void {
  return (decision, durationMs) => {
    const which = mode();
    if (which === 'none' || (which === 'denied' && decision.kind === 'allow')) return;
    const { ctx } = decision;
    log.info(
      {
        decision: outcomeOf(decision),
        reason: reasonOf(decision),
        policy: ctx.match?.policy.name,
        requestId: clip(ctx.request.requestId),
        method: clip(ctx.request.method),
        host: clip(ctx.request.host),
        path: clip(ctx.request.path),
        issuer: ctx.token?.issuer,
        jkt: ctx.proof?.jkt,
        durationMs: Math.round(durationMs * 1000) / 1000,
        ...(decision.kind === 'deny' && decision.denial.details.cause instanceof Error
          ? { cause: decision.denial.details.cause.name }
          : {}),
      },
      'decision',
    );
  };
}

/** JSON escapes control characters, so that a line stays a line. */
function clip(text: string | undefined): string | undefined {
  return text !== undefined && text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

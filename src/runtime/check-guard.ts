import { randomBytes } from 'node:crypto';
import { createDecisionIds } from '../authz/decision-id.js';
import type { AuthzRequest } from '../authz/types.js';
import type { Config } from '../config/config.js';
import { createGuard, type Gate, type Guard } from '../guard/guard.js';
import type { AuditLog } from '../observability/audit/audit-log.js';
import { createDecisionLog } from '../observability/decision-log.js';
import type { Metrics } from '../observability/metric-ports.js';
import type { RecentDenials } from '../observability/recent-denials.js';
import type { Tracer } from '../observability/tracing/tracer.js';
import type { Clock, Logger } from '../ports.js';

/** What surrounds the decisions of a process; what a reload replaces is read each time. */
export interface CheckGuardParts {
  readonly gate: () => Gate;
  readonly config: () => Config;
  readonly isOverloaded: () => boolean;
  readonly metrics: Pick<Metrics, 'decided'>;
  readonly log: Logger;
  /** undefined: nobody asks what was refused lately. */
  readonly denials: RecentDenials | undefined;
  /** undefined: no audit log is configured. */
  readonly audit: Pick<AuditLog, 'decided'> | undefined;
  /** undefined: tracing is off. */
  readonly tracer: Tracer | undefined;
  readonly clock: Clock;
  readonly onInternalError: (error: unknown, request: AuthzRequest) => void;
}

/** Creates the guard of a process: it bounds, counts and logs what every front asks. */
export function createCheckGuard(parts: CheckGuardParts): Guard {
  const { gate, config, metrics, denials, audit, tracer, clock } = parts;
  const logDecision = createDecisionLog(parts.log, () => config().log.decisions, tracer);
  return createGuard({
    gate,
    concurrentChecks: () => config().server.limits.concurrentChecks,
    isOverloaded: parts.isOverloaded,
    observer: {
      decided: (decision, durationMs) => {
        metrics.decided(decision, durationMs);
        logDecision(decision, durationMs);
        denials?.note(decision);
        audit?.decided(decision);
        tracer?.decided(decision);
      },
    },
    onInternalError: parts.onInternalError,
    around: tracer && ((ctx, decide) => tracer.around(ctx, decide)),
    nextId: createDecisionIds(randomBytes),
    clock,
    stopwatch,
  });
}

/** Milliseconds with a fraction, for durations. */
export function stopwatch(): number {
  return performance.now();
}

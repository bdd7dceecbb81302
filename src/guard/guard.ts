/**
 * What surrounds a decision on every front: overload, concurrency, deadline, observation. It always answers: whatever
 * goes wrong before, during or after the decision is a denial, because when a question gets no answer, the proxy
 * decides, and it may let the request through.
 */
import { UNKNOWN_REQUEST } from '../authz/create-request.js';
import { Denial } from '../authz/denial.js';
import { createContext, type Pipeline } from '../authz/pipeline.js';
import type { AuthzRequest, CheckContext, Decision, DecisionObserver } from '../authz/types.js';
import type { Clock } from '../ports.js';

/** One configuration, ready to decide. Never changes. */
export interface Gate {
  readonly pipeline: Pipeline;
}

/** What a way in is: how its questions are read, and how its answers are written. Knows nothing of decisions. */
export interface Front<Input, Answer> {
  /** @throws Denial where the question is not a request, or is too large */
  read(input: Input): AuthzRequest;
  /**
   * Writes an answer of its own for each call; must be able to write every denial.
   *
   * @throws Denial for an allow that this way in cannot carry out
   */
  write(decision: Decision): Answer;
}

/** What the guard needs. */
export interface GuardOptions {
  /** The gate of the running configuration; read once per request, so that a reload never splits one. */
  gate(): Gate;
  /** Requests that may wait for something at the same time; beyond them 503. */
  concurrentChecks(): number;
  /** Is the process too busy to answer in time? Then 503. */
  isOverloaded(): boolean;
  readonly observer: DecisionObserver;
  /** Called for what goes wrong after the answer: an observer that throws. */
  onInternalError(error: unknown, request: AuthzRequest): void;
  /** Runs the decision of a request within its span; absent: tracing is off. */
  readonly around?: (<T>(ctx: CheckContext, decide: () => T) => T) | undefined;
  /** From `createDecisionIds`. */
  nextId(): string;
  readonly clock: Clock;
  /** Milliseconds with a fraction, for durations. */
  stopwatch(): number;
}

/** Answers requests of any front. One guard bounds them all together. */
export interface Guard {
  /**
   * Answers one request; never throws and never rejects.
   *
   * @param deadlineMs when the caller stops waiting, milliseconds since the epoch; Infinity where it did not say
   * @returns the answer, as a promise only where something had to be waited for
   */
  handle<Input, Answer>(
    front: Front<Input, Answer>,
    input: Input,
    deadlineMs: number,
  ): Answer | Promise<Answer>;
  /** How many requests are waiting for something. */
  readonly waiting: number;
  /** How many requests were answered since the start. */
  readonly answered: number;
}

/**
 * The answer must have arrived before the caller hangs up, and the caller's clock began to run before ours: a large
 * share of a little time, a small one of much. Of 200 ms, which is a usual time-out, this leaves 130.
 */
const MARGIN_SHARE = 0.4;
const MAX_MARGIN_MS = 60;
const FURTHER_SHARE = 0.05;
/** Where the caller gives no deadline, nothing waits longer than this. */
const LONGEST_WAIT_MS = 10_000;

/** @param options all that is not the request itself */
export function createGuard(options: GuardOptions): Guard {
  return new RequestGuard(options);
}

/** A request on its way. */
interface Exchange<Answer> {
  readonly front: Pick<Front<unknown, Answer>, 'write'>;
  readonly gate: Gate;
  readonly started: number;
}

class RequestGuard implements Guard {
  waiting = 0;
  answered = 0;

  constructor(private readonly options: GuardOptions) {}

  handle<Input, Answer>(
    front: Front<Input, Answer>,
    input: Input,
    deadlineMs: number,
  ): Answer | Promise<Answer> {
    const { options } = this;
    const started = options.stopwatch();
    const nowMs = options.clock.now();
    const id = options.nextId();
    const gate = options.gate();
    const exchange = { front, gate, started };
    let ctx: CheckContext | undefined;
    try {
      if (options.isOverloaded()) throw new Denial('overloaded');
      const known = (ctx = createContext(front.read(input), nowMs, id));
      const { around } = options;
      const decision =
        around === undefined ? gate.pipeline.decide(known) : around(known, () => gate.pipeline.decide(known));
      if (!(decision instanceof Promise)) return this.answer(exchange, decision);
      // Only what has to wait takes a place, so a slow dependency never holds requests that do not need it.
      if (this.waiting >= options.concurrentChecks()) throw new Denial('overloaded');
      return this.wait(exchange, decision, { ctx: known, waitMs: waitOf(deadlineMs - nowMs) });
    } catch (error) {
      ctx ??= createContext(UNKNOWN_REQUEST, nowMs, id);
      return this.answer(exchange, refuse(gate, ctx, error));
    }
  }

  /** Whichever comes first, the decision or the last moment to answer. */
  private async wait<Answer>(
    exchange: Exchange<Answer>,
    decision: Promise<Decision>,
    { ctx, waitMs }: { ctx: CheckContext; waitMs: number },
  ): Promise<Answer> {
    this.waiting++;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Decision>((resolve) => {
      timer = setTimeout(() => resolve(refuse(exchange.gate, ctx, new Denial('deadline_exceeded'))), waitMs);
    });
    try {
      return this.answer(exchange, await Promise.race([decision, late]));
    } finally {
      clearTimeout(timer);
      this.waiting--;
    }
  }

  private answer<Answer>(exchange: Exchange<Answer>, decision: Decision): Answer {
    const written = write(exchange, decision);
    this.answered++;
    const { options } = this;
    try {
      options.observer.decided(written.decision, options.stopwatch() - exchange.started);
    } catch (error) {
      options.onInternalError(error, decision.ctx.request);
    }
    return written.answer;
  }
}

/** An answer, and the decision that it gives: not what was decided, where that could not be written. */
interface Written<Answer> {
  readonly answer: Answer;
  readonly decision: Decision;
}

/**
 * An answer that cannot be written is a fault of ours, but for an allow that the front itself refuses; the plainest denial
 * can always be written.
 */
function write<Answer>({ front, gate }: Exchange<Answer>, decision: Decision): Written<Answer> {
  try {
    return { answer: front.write(decision), decision };
  } catch (error) {
    const { ctx } = decision;
    const isRefused = decision.kind === 'allow' && error instanceof Denial;
    const plain = isRefused ? ctx : createContext(UNKNOWN_REQUEST, ctx.nowMs, ctx.id);
    const denial = gate.pipeline.refuse(plain, error);
    return { answer: front.write(denial), decision: denial };
  }
}

/** Ends a request without its decision, which may still be on its way. */
function refuse(gate: Gate, ctx: CheckContext, error: unknown): Decision {
  ctx.isAnswered = true;
  return gate.pipeline.refuse(ctx, error);
}

function waitOf(leftMs: number): number {
  if (!Number.isFinite(leftMs)) return LONGEST_WAIT_MS;
  const margin = Math.min(MAX_MARGIN_MS, leftMs * MARGIN_SHARE) + leftMs * FURTHER_SHARE;
  return Math.min(LONGEST_WAIT_MS, Math.max(0, leftMs - margin));
}

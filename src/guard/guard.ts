/**
 * One Check from bytes to bytes: decode, decide, encode. It always answers: whatever goes wrong before, during or
 * after the decision is a denial, because a call that fails is Envoy's to judge, and Envoy may let it through.
 */
import type { Clock } from '../ports.js';
import { Denial } from '../authz/denial.js';
import { createContext, type Pipeline, type Trace } from '../authz/pipeline.js';
import { parseRequest, type CallFacts } from '../fronts/envoy/decode.js';
import type { ResponseBuilder } from '../fronts/envoy/encode.js';
import type { AuthzRequest, CheckContext, Decision, DecisionObserver } from '../authz/types.js';

/** One configuration, ready to decide. Never changes. */
export interface Gate {
  readonly pipeline: Pipeline;
  readonly responses: ResponseBuilder;
}

/** What a gRPC call brings beside its message. */
export interface CheckCall extends CallFacts {
  /** When the caller stops waiting, milliseconds since the epoch; Infinity where it did not say. */
  readonly deadlineMs: number;
}

/** What the handler needs. */
export interface CheckOptions {
  /** The gate of the running configuration; read once a Check, so that a reload never splits one. */
  gate(): Gate;
  /** Checks that wait for something at the same time; beyond them 503. */
  concurrentChecks(): number;
  /** Longest message that is decoded, bytes; beyond it 413. */
  maxMessageBytes(): number;
  /** Is the process too busy to answer in time? Beyond it 503. */
  isOverloaded(): boolean;
  readonly observer: DecisionObserver;
  /** Told of what goes wrong after the answer: an observer that throws. */
  onInternalError(error: unknown, request: AuthzRequest): void;
  /** From `createDecisionIds`. */
  nextId(): string;
  readonly clock: Clock;
  /** Milliseconds with a fraction, for durations. */
  stopwatch(): number;
}

/** Answers Checks. */
export interface CheckHandler {
  /**
   * Answers one Check; never throws and never rejects.
   *
   * @param bytes the CheckRequest as it came
   * @returns a CheckResponse, as a promise only where something had to be waited for
   */
  check(bytes: Buffer, call: CheckCall): Buffer | Promise<Buffer>;
  /** How many Checks are waiting for something. */
  readonly waiting: number;
  /** How many Checks were answered since the start. */
  readonly answered: number;
}

/**
 * The answer must have arrived before the caller hangs up, and the caller's clock began to run before ours: a large
 * share of a little time, a small one of much. Of Envoy's usual 200 ms this leaves 130.
 */
const MARGIN_SHARE = 0.4;
const MAX_MARGIN_MS = 60;
const FURTHER_SHARE = 0.05;
/** Where the caller gives no deadline, nothing waits longer than this. */
const LONGEST_WAIT_MS = 10_000;

/** A request of which nothing is known, for answers that come before the decoding. */
const UNKNOWN_REQUEST: AuthzRequest = {
  method: '',
  path: '',
  query: undefined,
  hasTrueTarget: true,
  host: '',
  headers: { get: () => undefined, all: () => [], names: () => [], joined: () => new Map() },
  requestId: undefined,
  peerCertificate: undefined,
  contextExtensions: new Map(),
  callPolicy: undefined,
  callAuthority: undefined,
  rpc: undefined,
};

/** @param options all that is not the Check itself */
export function createCheckHandler(options: CheckOptions): CheckHandler {
  return new Handler(options);
}

class Handler implements CheckHandler {
  waiting = 0;
  answered = 0;

  constructor(private readonly options: CheckOptions) {}

  check(bytes: Buffer, call: CheckCall): Buffer | Promise<Buffer> {
    const { options } = this;
    const started = options.stopwatch();
    const nowMs = options.clock.now();
    const id = options.nextId();
    const gate = options.gate();
    let ctx: CheckContext | undefined;
    try {
      if (bytes.length > options.maxMessageBytes()) throw new Denial('message_too_large');
      if (options.isOverloaded()) throw new Denial('overloaded');
      ctx = createContext(parseRequest(bytes, call), nowMs, id);
      const decision = gate.pipeline.decide(ctx);
      if (!(decision instanceof Promise)) return this.answer(gate, decision, started);
      // Only what has to wait takes a place, so a slow dependency never holds Checks that do not need it.
      if (this.waiting >= options.concurrentChecks()) throw new Denial('overloaded');
      return this.wait(gate, decision, { ctx, started, waitMs: waitOf(call.deadlineMs - nowMs) });
    } catch (error) {
      ctx ??= createContext(UNKNOWN_REQUEST, nowMs, id);
      return this.answer(gate, refuse(gate, ctx, error), started);
    }
  }

  /** Whichever comes first, the decision or the last moment to answer. */
  private async wait(
    gate: Gate,
    decision: Promise<Decision>,
    { ctx, started, waitMs }: { ctx: CheckContext; started: number; waitMs: number },
  ): Promise<Buffer> {
    this.waiting++;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Decision>((resolve) => {
      timer = setTimeout(() => resolve(refuse(gate, ctx, new Denial('deadline_exceeded'))), waitMs);
    });
    try {
      return this.answer(gate, await Promise.race([decision, late]), started);
    } finally {
      clearTimeout(timer);
      this.waiting--;
    }
  }

  private answer(gate: Gate, decision: Decision, started: number): Buffer {
    const answer = encode(gate, decision);
    this.answered++;
    const { options } = this;
    try {
      options.observer.decided(answer.decision, options.stopwatch() - started);
    } catch (error) {
      options.onInternalError(error, decision.ctx.request);
    }
    return answer.bytes;
  }
}

/** What was decided, and the bytes that say so. */
interface EncodedAnswer {
  readonly bytes: Buffer;
  /** What is answered: not what was decided, where that could not be encoded. */
  readonly decision: Decision;
}

/** An answer that cannot be built is a fault of ours; the plainest denial always can. */
function encode(gate: Gate, decision: Decision): EncodedAnswer {
  try {
    return { bytes: gate.responses.build(decision), decision };
  } catch (error) {
    const { nowMs, id } = decision.ctx;
    const denial = gate.pipeline.refuse(createContext(UNKNOWN_REQUEST, nowMs, id), error);
    return { bytes: gate.responses.build(denial), decision: denial };
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

/** One Check with its stages told, for `explain`. Not for the hot path. */
export async function explainCheck(
  gate: Gate,
  request: AuthzRequest,
  { nowMs, trace }: { nowMs: number; trace: Trace },
): Promise<{ decision: Decision; answer: Buffer }> {
  const decision = await gate.pipeline.decide(createContext(request, nowMs), trace);
  return { decision, answer: gate.responses.build(decision) };
}

/**
 * One Check from bytes to bytes: decode, decide, encode. It always answers: whatever goes wrong before, during or
 * after the decision is a denial, because a call that fails is Envoy's to judge, and Envoy may let it through.
 */
import type { Clock } from '../ports.js';
import { Denial, type DenialCode } from './denial.js';
import { plainMetadata } from './metadata.js';
import { createContext, type Pipeline, type Trace } from './pipeline.js';
import { parseRequest, type CallFacts } from './request.js';
import type { ResponseBuilder } from './response.js';
import type { AuthzRequest, Decision, DecisionObserver, Metadata } from './types.js';

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
    const gate = options.gate();
    let request = UNKNOWN_REQUEST;
    try {
      if (bytes.length > options.maxMessageBytes()) throw new Denial('message_too_large');
      if (options.isOverloaded()) throw new Denial('overloaded');
      request = parseRequest(bytes, call);
      const decision = gate.pipeline.decide(request, nowMs);
      if (!(decision instanceof Promise)) return this.answer(gate, decision, started);
      // Only what has to wait takes a place, so that a slow dependency never holds a Check that needs it not.
      if (this.waiting >= options.concurrentChecks()) throw new Denial('overloaded');
      return this.wait(gate, decision, { started, request, waitMs: waitOf(call.deadlineMs - nowMs) });
    } catch (error) {
      return this.answer(gate, refuse(request, nowMs, error), started);
    }
  }

  /** Whichever comes first, the decision or the last moment to answer. */
  private async wait(
    gate: Gate,
    decision: Promise<Decision>,
    { started, request, waitMs }: { started: number; request: AuthzRequest; waitMs: number },
  ): Promise<Buffer> {
    this.waiting++;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Decision>((resolve) => {
      timer = setTimeout(
        () => resolve(refuseWith(request, this.options.clock.now(), 'deadline_exceeded')),
        waitMs,
      );
    });
    try {
      return this.answer(gate, await Promise.race([decision, late]), started);
    } finally {
      clearTimeout(timer);
      this.waiting--;
    }
  }

  private answer(gate: Gate, decision: Decision, started: number): Buffer {
    const bytes = this.encode(gate, decision);
    this.answered++;
    this.options.observer.decided(decision, this.options.stopwatch() - started);
    return bytes;
  }

  /** An answer that can not be built is a fault of ours; the plainest denial always can. */
  private encode(gate: Gate, decision: Decision): Buffer {
    try {
      return gate.responses.build(decision);
    } catch (error) {
      return gate.responses.build(refuse(UNKNOWN_REQUEST, decision.ctx.nowMs, error));
    }
  }
}

function waitOf(leftMs: number): number {
  if (!Number.isFinite(leftMs)) return LONGEST_WAIT_MS;
  const margin = Math.min(MAX_MARGIN_MS, leftMs * MARGIN_SHARE) + leftMs * FURTHER_SHARE;
  return Math.min(LONGEST_WAIT_MS, Math.max(0, leftMs - margin));
}

function refuse(request: AuthzRequest, nowMs: number, error: unknown): Decision {
  const denial = error instanceof Denial ? error : new Denial('internal_error', { cause: error });
  const metadata = plainMetadata(plain, denial.code, undefined);
  return { kind: 'deny', ctx: createContext(request, nowMs), denial, metadata };
}

/** Of refusals that are the handler's own: they name no policy. */
const plain = new Map<string, Metadata>();

function refuseWith(request: AuthzRequest, nowMs: number, code: DenialCode): Decision {
  return refuse(request, nowMs, new Denial(code));
}

/** One Check with its stages told, for `explain`. Not for the hot path. */
export async function explainCheck(
  gate: Gate,
  request: AuthzRequest,
  { nowMs, trace }: { nowMs: number; trace: Trace },
): Promise<{ decision: Decision; answer: Buffer }> {
  const decision = await gate.pipeline.decide(request, nowMs, trace);
  return { decision, answer: gate.responses.build(decision) };
}

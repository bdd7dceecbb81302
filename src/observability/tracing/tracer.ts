/** Spans of Checks: which are recorded, where they hang, what is in them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { CheckContext, Decision } from '../../authz/types.js';
import { outcomeOf, reasonOf } from '../metrics.js';
import type { AttributeValue, Span } from './span.js';
import { parseTraceParent, type TraceParent } from './trace-context.js';

/** Which Checks are recorded. */
export interface Sampler {
  /** Share of the Checks without a decision of a parent, from 0 to 1. */
  readonly ratio: number;
  /** true: whoever asks decides, where it says so. */
  readonly parent: boolean;
}

/** What the tracer is made of. */
export interface TracerOptions {
  readonly sampler: () => Sampler;
  readonly export: (span: Span) => void;
  /** Milliseconds with a fraction since the epoch. */
  readonly nowMs: () => number;
  /** Bytes of a random source. */
  readonly random?: (bytes: number) => Buffer;
}

/** Records Checks, and what they wait for. */
export interface Tracer {
  /** Runs the decision of a Check, within its span where it is recorded. */
  around<T>(ctx: CheckContext, decide: () => T): T;
  /** Ends the span of a Check. */
  decided(decision: Decision): void;
  /** @returns the trace that a Check belongs to, for log lines */
  traceIdOf(ctx: CheckContext): string | undefined;
  /** Runs what a Check waits for within a span of its own; just runs it where no Check is recorded. */
  child<T>(name: string, attributes: Span['attributes'], run: () => T): T;
}

/** A span that is under way. */
interface OpenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
}

const SERVICE = 'envoy.service.auth.v3.Authorization';
const NAME = `${SERVICE}/Check`;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
const NS_PER_MS = 1_000_000;

/** @param options of the configuration in force */
export function createTracer(options: TracerOptions): Tracer {
  return new CheckTracer(options);
}

class CheckTracer implements Tracer {
  private readonly current = new AsyncLocalStorage<OpenSpan>();
  private readonly open = new WeakMap<CheckContext, OpenSpan>();
  private readonly random: (bytes: number) => Buffer;

  constructor(private readonly options: TracerOptions) {
    this.random = options.random ?? randomBytes;
  }

  around<T>(ctx: CheckContext, decide: () => T): T {
    const parent = parentOf(ctx);
    if (!this.isRecorded(parent)) return decide();
    const span: OpenSpan = {
      traceId: parent?.traceId ?? this.random(TRACE_BYTES).toString('hex'),
      spanId: this.random(SPAN_BYTES).toString('hex'),
      parentSpanId: parent?.spanId,
      startMs: this.options.nowMs(),
    };
    this.open.set(ctx, span);
    return this.current.run(span, decide);
  }

  decided(decision: Decision): void {
    const span = this.open.get(decision.ctx);
    if (span === undefined) return;
    this.open.delete(decision.ctx);
    this.end(span, {
      name: NAME,
      kind: 'server',
      attributes: attributesOf(decision),
      isError: outcomeOf(decision) === 'error',
    });
  }

  traceIdOf(ctx: CheckContext): string | undefined {
    return this.open.get(ctx)?.traceId ?? parentOf(ctx)?.traceId;
  }

  child<T>(name: string, attributes: Span['attributes'], run: () => T): T {
    const parent = this.current.getStore();
    if (parent === undefined) return run();
    const span: OpenSpan = {
      traceId: parent.traceId,
      spanId: this.random(SPAN_BYTES).toString('hex'),
      parentSpanId: parent.spanId,
      startMs: this.options.nowMs(),
    };
    const end = (isError: boolean): void => this.end(span, { name, kind: 'client', attributes, isError });
    try {
      const result = run();
      if (result instanceof Promise)
        result.then(
          () => end(false),
          () => end(true),
        );
      else end(false);
      return result;
    } catch (error) {
      end(true);
      throw error;
    }
  }

  private isRecorded(parent: TraceParent | undefined): boolean {
    const { ratio, parent: follows } = this.options.sampler();
    if (follows && parent !== undefined) return parent.isSampled;
    if (ratio >= 1) return true;
    return ratio > 0 && this.random(4).readUInt32BE() < ratio * 2 ** 32;
  }

  private end(
    { traceId, spanId, parentSpanId, startMs }: OpenSpan,
    rest: Pick<Span, 'name' | 'kind' | 'attributes' | 'isError'>,
  ): void {
    this.options.export({
      ...{ traceId, spanId, parentSpanId },
      startNs: toNs(startMs),
      endNs: toNs(Math.max(startMs, this.options.nowMs())),
      ...rest,
    });
  }
}

function toNs(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * BigInt(NS_PER_MS / 1000);
}

/** Of the call itself, which the proxy makes; what the client wrote into its own request comes second. */
function parentOf({ request }: CheckContext): TraceParent | undefined {
  return parseTraceParent(request.callTraceParent ?? request.headers.get('traceparent'));
}

/** The RPC conventions, and what was decided. No credential, no claim, nothing of the path. */
function attributesOf(decision: Decision): Readonly<Record<string, AttributeValue | undefined>> {
  const { ctx } = decision;
  const route = ctx.match?.route;
  return {
    'rpc.system': 'grpc',
    'rpc.service': SERVICE,
    'rpc.method': 'Check',
    'rpc.grpc.status_code': 0,
    'portcullis.decision': outcomeOf(decision),
    'portcullis.reason': reasonOf(decision),
    'portcullis.decision_id': ctx.id,
    'portcullis.policy': ctx.match?.policy.name,
    'portcullis.route': route === undefined ? undefined : `routes[${route}]`,
    'portcullis.status': decision.kind === 'deny' ? decision.refusal.status : undefined,
  };
}

/**
 * Runs the stages in order and turns the outcome into a Decision. This is the only place that catches what stages throw: a
 * Denial is an answer, anything else is `internal_error`, whose cause goes to the log only.
 */
import { NO_DECISION_ID } from './decision-id.js';
import { Denial } from './denial.js';
import type { RefusalBuilder } from './refusal.js';
import type {
  AuthzRequest,
  CheckContext,
  Decision,
  Deny,
  HeaderPair,
  Metadata,
  Stage,
  UpstreamChanges,
} from './types.js';
import { runStages, type Trace } from './run-stages.js';

/** What the pipeline needs beside its stages. */
export interface PipelineOptions {
  readonly stages: readonly Stage[];
  /** How an allowed request is changed before it goes upstream. */
  upstreamOf(ctx: CheckContext): UpstreamChanges;
  /** What the client of a denied request gets. */
  readonly refusalOf: RefusalBuilder;
  /** Dynamic metadata of an answer. */
  metadataOf(ctx: CheckContext, reason: string): Metadata;
  /** Called with every decision that was made in time; must not throw. */
  concluded(decision: Decision): void;
  /** Called with every error that is not a Denial. */
  onInternalError(error: unknown, request: AuthzRequest): void;
}

/** Decides on requests. */
export interface Pipeline {
  /**
   * Decides; never throws and never rejects.
   *
   * @param ctx of this request alone, from `createContext`
   * @returns a decision, as a promise only where something had to be waited for
   */
  decide(ctx: CheckContext, trace?: Trace): Decision | Promise<Decision>;

  /**
   * Creates the denial of a request that the stages did not decide. Reports whatever is not a Denial as an internal error.
   *
   * @param error a Denial, or anything else that was thrown
   */
  refuse(ctx: CheckContext, error: unknown): Deny;
}

const NO_HEADERS: readonly HeaderPair[] = Object.freeze([]);

/**
 * Creates the context of one request.
 *
 * @param request decoded, untrusted
 * @param nowMs milliseconds since the epoch; all times of this request are judged by it
 * @param id from `createDecisionIds`
 */
export function createContext(
  request: AuthzRequest,
  nowMs: number,
  id: string = NO_DECISION_ID,
): CheckContext {
  return {
    id,
    request,
    nowMs,
    match: undefined,
    credential: undefined,
    token: undefined,
    proof: undefined,
    identity: NO_HEADERS,
    identityToken: undefined,
    responseHeaders: [],
    isAnswered: false,
  };
}

/** @param options the stages and what they end in; all of one configuration */
export function createPipeline(options: PipelineOptions): Pipeline {
  return {
    refuse: (ctx, error) => refuse(ctx, error, options),
    decide(ctx, trace) {
      try {
        const pending = runStages(options.stages, ctx, trace);
        if (pending === undefined) return allow(ctx, options);
        return pending.then(
          () => allowOrDeny(ctx, options),
          (error: unknown) => deny(ctx, error, options),
        );
      } catch (error) {
        return deny(ctx, error, options);
      }
    },
  };
}

function allowOrDeny(ctx: CheckContext, options: PipelineOptions): Decision {
  try {
    return allow(ctx, options);
  } catch (error) {
    return deny(ctx, error, options);
  }
}

function allow(ctx: CheckContext, options: PipelineOptions): Decision {
  const decision: Decision = {
    kind: 'allow',
    ctx,
    upstream: options.upstreamOf(ctx),
    responseHeaders: ctx.responseHeaders.length === 0 ? NO_HEADERS : ctx.responseHeaders,
    metadata: options.metadataOf(ctx, allowReasonOf(ctx)),
  };
  if (!ctx.isAnswered) options.concluded(decision);
  return decision;
}

/** Why a request was allowed, in one word for metrics, log and metadata. */
export function allowReasonOf(ctx: CheckContext): 'allowed' | 'anonymous' {
  return ctx.token === undefined ? 'anonymous' : 'allowed';
}

function deny(ctx: CheckContext, error: unknown, options: PipelineOptions): Decision {
  const decision = refuse(ctx, error, options);
  if (!ctx.isAnswered) options.concluded(decision);
  return decision;
}

function refuse(ctx: CheckContext, error: unknown, options: PipelineOptions): Deny {
  if (!(error instanceof Denial)) options.onInternalError(error, ctx.request);
  const denial = error instanceof Denial ? error : new Denial('internal_error', { cause: error });
  const refusal = options.refusalOf(ctx, denial);
  return { kind: 'deny', ctx, denial, refusal, metadata: options.metadataOf(ctx, denial.code) };
}

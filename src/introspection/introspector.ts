import { HttpError } from '../http/http-error.js';
import { KeySetError } from '../jwks/key-set-error.js';
import { KeysUnavailableError } from '../jwks/types.js';
import type { Clock, Logger } from '../ports.js';
import { TooManyCallsError } from './bounded-calls.js';
import { type Claims, IllFormedAnswerError } from './read-answer.js';
import type { SharedAnswers } from './shared-answers.js';
import {
  type IntrospectionAnswer,
  IntrospectionUnavailableError,
  type IntrospectionSettings,
  type Introspector,
} from './types.js';

/** What came of a call to an issuer. */
export type IntrospectionOutcome = 'active' | 'inactive' | 'failed';

/** Where calls are counted. */
export interface IntrospectionMetrics {
  /**
   * @param issuer from the configuration
   * @param durationMs of the call, milliseconds
   */
  introspected(issuer: string, outcome: IntrospectionOutcome, durationMs: number): void;
}

/** What an introspector is made of. */
export interface IntrospectorOptions {
  readonly issuer: string;
  readonly settings: Pick<IntrospectionSettings, 'cacheTtl' | 'negativeTtl'>;
  /** Sends a token to the issuer. */
  readonly ask: (token: string) => Promise<Claims>;
  /** Bounds calls. */
  readonly bounded: <T>(call: () => Promise<T>) => Promise<T>;
  /** undefined: nobody else asks. */
  readonly answers: SharedAnswers | undefined;
  readonly metrics: IntrospectionMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Milliseconds, for durations. */
  readonly stopwatch: () => number;
}

/** Creates an introspector: one call per token at a time, so many calls at once, answers shared. */
export function createIntrospector(options: IntrospectorOptions): Introspector {
  const { issuer, answers, bounded } = options;
  const inFlight = new Map<string, Promise<IntrospectionAnswer>>();
  const call = createCall(options);

  const find = async (token: string, hash: string): Promise<IntrospectionAnswer> => {
    const known = await answers?.get(hash);
    if (known !== undefined) return known;
    const answer = await call(token);
    await answers?.set(hash, answer);
    return answer;
  };

  return {
    issuer,
    introspect(token, hash) {
      const under = inFlight.get(hash);
      if (under !== undefined) return under;
      const flight = bounded(() => find(token, hash))
        .catch((error: unknown) => {
          throw unavailable(issuer, error);
        })
        .finally(() => inFlight.delete(hash));
      inFlight.set(hash, flight);
      return flight;
    },
  };
}

/** One call, counted and logged. A change between working and failing is logged once. */
function createCall(options: IntrospectorOptions): (token: string) => Promise<IntrospectionAnswer> {
  const { issuer, settings, metrics, logger, clock, stopwatch } = options;
  let isFailing = false;
  return async (token) => {
    const startedMs = stopwatch();
    const count = (outcome: IntrospectionOutcome): void =>
      metrics.introspected(issuer, outcome, stopwatch() - startedMs);
    try {
      const claims = await options.ask(token);
      const nowMs = clock.now();
      count(claims === undefined ? 'inactive' : 'active');
      if (isFailing) logger.info({ issuer }, 'introspection works again');
      isFailing = false;
      if (claims === undefined) return { active: false, untilMs: nowMs + settings.negativeTtl };
      return { active: true, text: JSON.stringify(claims), untilMs: usableUntilMs(claims, nowMs, settings) };
    } catch (error) {
      count('failed');
      const detail = error instanceof Error ? error.message : 'unknown';
      if (!isFailing) logger.warn({ issuer, reason: reasonOf(error), detail }, 'introspection failed');
      isFailing = true;
      throw error;
    }
  };
}

/** Never past `exp`; whether that is a time at all is checked with the claims. */
function usableUntilMs(
  { exp }: NonNullable<Claims>,
  nowMs: number,
  { cacheTtl }: IntrospectorOptions['settings'],
): number {
  return typeof exp === 'number' ? Math.min(nowMs + cacheTtl, exp * 1000) : nowMs + cacheTtl;
}

function unavailable(issuer: string, cause: unknown): IntrospectionUnavailableError {
  return new IntrospectionUnavailableError(issuer, reasonOf(cause), 1, { cause });
}

/** One word. Messages stay in this process' log. */
function reasonOf(error: unknown): string {
  if (error instanceof HttpError || error instanceof KeySetError) return error.code;
  if (error instanceof IllFormedAnswerError) return 'ill_formed';
  if (error instanceof TooManyCallsError) return 'busy';
  return error instanceof KeysUnavailableError ? 'keys_unavailable' : 'internal';
}

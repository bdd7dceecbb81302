/**
 * Everything that the primary process and its workers say to each other, by name. Parameters and results are plain
 * data that survives JSON. Both ends are this program, of this version.
 */
import type { PersonalTokenAnswer } from '../authz/token/personal.js';
import type { Config } from '../config/config.js';
import type { IntrospectionAnswer } from '../introspection/types.js';
import type { IntrospectionQuestion } from '../introspections.js';
import type { IssuerKeysStatus } from '../jwks/key-status.js';
import type { FetchedKeySet, KeySetRequest } from '../jwks/ports.js';
import type { RecentDenial } from '../observability/recent-denials.js';
import type { StateMessage } from '../runtime/shared-state.js';
import type { Readiness } from '../runtime/status.js';
import type { SpendableProof } from '../stores/replay-store.js';
import type { DrainTimes } from './service.js';

/** A question and its answer. */
export interface Exchange<Params extends object, Result> {
  readonly params: Params;
  readonly result: Result;
}

/** What the primary asks of a worker. */
export interface WorkerCalls {
  /** Comes first: what to serve, and everything that is shared. */
  readonly start: Exchange<StartParams, void>;
  /** Puts a configuration in force as a whole. */
  readonly apply: Exchange<{ readonly config: Config }, void>;
  /** A change of what is shared. Answered when it counts. */
  readonly state: Exchange<{ readonly message: StateMessage }, void>;
  readonly metrics: Exchange<object, object>;
  readonly readiness: Exchange<object, Readiness>;
  readonly status: Exchange<object, object>;
  readonly keyStatus: Exchange<object, readonly IssuerKeysStatus[]>;
  /** The latest first. */
  readonly denials: Exchange<{ readonly limit: number }, readonly RecentDenial[]>;
  /** No result: the issuer is not configured. */
  readonly invalidate: Exchange<
    { readonly issuer: string | undefined; readonly drop: boolean },
    readonly object[] | undefined
  >;
  readonly setLogLevel: Exchange<{ readonly level: string }, boolean>;
  /** Opens the audit log again by its name. */
  readonly reopenAudit: Exchange<object, void>;
  /** The worker ends; the answer may not arrive. */
  readonly drain: Exchange<DrainTimes, void>;
}

/** What a worker begins with. */
export interface StartParams {
  readonly config: Config;
  readonly state: readonly StateMessage[];
  /** May differ from the configuration's: it can be set on the admin port. */
  readonly logLevel: string;
}

/** What a worker asks of the primary. */
export interface PrimaryCalls {
  /** The worker listens now. What was sent before is lost. */
  readonly hello: Exchange<object, void>;
  readonly fetchKeySet: Exchange<Omit<KeySetRequest, 'signal'>, FetchReply>;
  readonly introspect: Exchange<IntrospectionQuestion, IntrospectReply>;
  readonly personalToken: Exchange<{ readonly token: string }, PersonalTokenAnswer>;
  readonly spend: Exchange<SpendableProof, SpendReply>;
}

/** Errors cross as words: an error object does not survive the channel. */
export type FetchReply = { readonly set: FetchedKeySet } | { readonly failure: string };
/** What the issuer said of a token, or why it said nothing. */
export type IntrospectReply =
  { readonly answer: IntrospectionAnswer } | { readonly failure: string; readonly retryAfterS: number };
/** What became of a proof. */
export type SpendReply = 'first' | 'spent' | 'unprovable' | 'full' | 'unavailable';

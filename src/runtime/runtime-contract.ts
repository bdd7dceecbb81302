/** What a process brings to the part that answers Checks, and what it gets. */
import type { CheckHandler } from '../fronts/envoy/check.js';
import type { BuiltGate } from '../gate.js';
import type { Guard } from '../guard/guard.js';
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { Config } from '../config/config.js';
import type { AskIntrospection } from '../introspections.js';
import type { KeySetFetcher } from '../jwks/ports.js';
import type { AuditLog } from '../observability/audit/audit-log.js';
import type { RecentDenials } from '../observability/recent-denials.js';
import type { Metrics } from '../observability/metric-ports.js';
import type { Logger } from '../ports.js';
import type { KeyRegistry } from './key-registry.js';
import type { SharedState } from './shared-state.js';
import type { Readiness } from './status.js';
import type { RedisAccess } from '../stores/redis-access.js';
import type { ReplayStore } from '../stores/replay-store.js';

/** What another process does for this one. */
export interface BorrowedParts {
  readonly fetcher: KeySetFetcher;
  /** undefined: spent proofs are remembered in Redis, which every process reaches itself. */
  readonly replay: ReplayStore | undefined;
  /** undefined: issuers are asked about tokens from here. */
  readonly introspect?: AskIntrospection;
}

/** What the process brings. */
export interface RuntimeOptions {
  readonly log: Logger;
  /** Takes a line per decision; absent: no audit log is configured. */
  readonly audit?: AuditLog | undefined;
  /** Absent: this process asks issuers itself, remembers proofs itself, and is where revocations begin. */
  readonly borrowed?: BorrowedParts;
  /** Asks the process that owns the token store; absent: personal access tokens cannot be verified here. */
  readonly askPersonalToken?: AskPersonalToken;
  /** false: the process belongs to somebody else, and its memory and event loop are not measured here. Default: true */
  readonly measuresProcess?: boolean;
}

/** What a process needs to answer Checks. */
export interface Runtime {
  readonly guard: Guard;
  readonly handler: CheckHandler;
  /** Of the configuration in force. */
  readonly gate: BuiltGate;
  readonly metrics: Metrics;
  /** Asks issuers for their keys. */
  readonly fetcher: KeySetFetcher;
  /** Asks an issuer of the configuration in force about a token. */
  readonly introspect: AskIntrospection;
  readonly replay: ReplayStore;
  /** The one Redis connection of the process. */
  readonly redis: RedisAccess;
  /** What another process, or a service beside, knows and Checks are judged by. */
  readonly state: SharedState;
  /** What was refused lately; undefined: the page that shows it is not configured. */
  readonly denials: RecentDenials | undefined;
  /** The key sets of the configuration's issuers. */
  readonly keys: KeyRegistry;
  /** Puts a configuration in force as a whole. @throws when it cannot be; the old one stays */
  apply(config: Config): Promise<void>;
  readiness(): Readiness;
  status(): object;
  /** @returns undefined when the issuer is not configured */
  invalidate(issuer: string | undefined, drop: boolean): Promise<readonly object[] | undefined>;
  close(): Promise<void>;
}

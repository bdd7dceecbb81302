/**
 * Services beside the decision, such as the token endpoint, logout and revocation. Each has a life cycle of its own and
 * lives in the process that owns the ports: the only one, or the primary of the workers.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Hono } from 'hono';
import type { Registry } from 'prom-client';
import type { Config, IssuerConfig } from '../config/config.js';
import type { AskIntrospection } from '../introspections.js';
import type { KeySetFetcher } from '../jwks/ports.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { Metrics } from '../observability/metric-ports.js';
import type { Clock, Logger } from '../ports.js';
import type { Insights } from '../token-service/insights/router.js';
import type { SharedStateSource } from '../runtime/shared-state.js';
import type { RedisConnection } from '../stores/redis-connection.js';
import type { ReplayStore } from '../stores/replay-store.js';

/** A running service. */
export interface MountedService {
  /** For the log. */
  readonly name: string;
  /** Routes of the public port, mounted at `/`, with the schemas that `/openapi.json` is made of. */
  readonly router?: OpenAPIHono;
  /** Routes of the admin port, mounted at `/`. */
  readonly adminRouter?: Hono;
  /** What the processes that answer Checks must know. */
  readonly state?: SharedStateSource;
  /** What is missing for it to work; part of readiness. */
  lacking?(): readonly string[];
  /** Takes a new configuration. @throws when it cannot; the old one stays */
  apply?(config: Config): Promise<void> | void;
  close(): Promise<void>;
}

/** What a service borrows from its process. */
export interface ServiceContext {
  /** The configuration at the start. */
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** For metrics of its own; read by `/metrics`. */
  readonly registry: Registry;
  /** What the services report to the product's own metrics. */
  readonly metrics: Pick<
    Metrics,
    | 'revoked'
    | 'observeRevocations'
    | 'securityEvent'
    | 'tokenRequest'
    | 'adminAction'
    | 'clientKeyFileRefused'
  >;
  /** The keys of an issuer of the configuration; the same that Checks are verified with. */
  readonly keysOf: (issuer: IssuerConfig) => IssuerKeys;
  /** Asks an issuer of the configuration in force about a token. */
  readonly introspect: AskIntrospection;
  /** What the running server knows of its Checks. */
  readonly insights: Insights;
  /** Asks issuers for their keys. */
  readonly fetcher: KeySetFetcher;
  /** Remembers spent DPoP proofs; undefined: Redis does, and this process has no store of its own for it. */
  readonly replay: ReplayStore | undefined;
  /** The one connection of the process, opened at the first call. Closing it is not the service's business. */
  readonly redis: () => Promise<RedisConnection>;
  /** Services that were opened before this one, by name. */
  readonly services: ReadonlyMap<string, MountedService>;
}

/** Opens a service. @returns undefined where it is not configured. @throws Error when it cannot start */
export type OpenService = (context: ServiceContext) => Promise<MountedService | undefined>;

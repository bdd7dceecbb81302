/** What the process that owns the configuration has beside Checks: services, HTTP ports, the reload's outcome. */
import type { Config } from '../config/config.js';
import { applyLogConfig, type RunningLog } from '../observability/log.js';
import type { AuditLog } from '../observability/audit/audit-log.js';
import type { Metrics } from '../observability/metric-ports.js';
import { systemClock } from '../ports.js';
import { createPublicDocuments } from '../runtime/documents.js';
import type { AskIntrospection } from '../introspections.js';
import type { KeyRegistry } from '../runtime/key-registry.js';
import type { Readiness } from '../runtime/status.js';
import type { KeySetFetcher } from '../jwks/ports.js';
import type { ReplayStore } from '../stores/replay-store.js';
import type { RedisAccess } from '../stores/redis-access.js';
import type { Insights } from '../token-service/insights/router.js';
import type { AdminBackend } from './admin.js';
import { withAudit } from './admin-audit.js';
import type { Closers } from './closers.js';
import type { MountedService } from './mounted-service.js';
import { openOwnedPorts } from './owned-ports.js';
import type { ReloadStatus } from './reload-status.js';
import { openServices, type OpenServices } from './services.js';

/** What the process that owns the configuration brings. */
export interface OwnerOptions {
  readonly log: RunningLog;
  readonly reloads: ReloadStatus;
  /** undefined: none is configured. Whoever opened it closes it. */
  readonly audit: AuditLog | undefined;
}

/** What services and documents are made of. */
export interface OwnerParts extends OwnerOptions {
  readonly metrics: Metrics;
  readonly keys: KeyRegistry;
  readonly redis: RedisAccess;
  readonly fetcher: KeySetFetcher;
  readonly introspect: AskIntrospection;
  /** undefined: Redis remembers spent proofs, and this process spends none. */
  readonly replay: ReplayStore | undefined;
  readonly insights: Insights;
  readonly closers: Closers;
}

/** The owner's side of a process. */
export class Owner {
  #isDraining = false;
  #applyToPorts: (config: Config) => void = () => undefined;

  private constructor(
    private config: Config,
    private readonly parts: OwnerParts,
    private readonly services: OpenServices,
  ) {}

  /** Opens the services that are configured. @throws Error when one cannot start */
  static async open(config: Config, parts: OwnerParts): Promise<Owner> {
    const { log, metrics, keys, redis, insights, fetcher, introspect, replay, closers } = parts;
    const services = await openServices({
      config,
      log,
      clock: systemClock,
      registry: metrics.registry,
      metrics,
      keysOf: (issuer) => keys.keysOf(issuer),
      redis: () => redis.open(),
      ...{ insights, fetcher, introspect, replay },
    });
    closers.add(() => services.close());
    metrics.observeConfig(parts.reloads);
    return new Owner(config, parts, services);
  }

  get mounted(): readonly MountedService[] {
    return this.services.all;
  }

  get servicesByName(): ReadonlyMap<string, MountedService> {
    return this.services.byName;
  }

  /** Opens the HTTP ports. @throws Error when one cannot be bound */
  async openPorts(backend: AdminBackend): Promise<void> {
    const ports = await openOwnedPorts(this.config, {
      backend: withAudit(backend, this.parts.log),
      documents: createPublicDocuments(() => this.config),
      services: this.services.all,
      configStatus: () => this.parts.reloads.current,
    });
    this.parts.closers.add(() => ports.close());
    this.#applyToPorts = (config) => ports.apply(config);
  }

  /** Takes over a configuration that Checks are judged by already. @throws when a service cannot */
  async apply(config: Config): Promise<void> {
    await this.services.apply(config);
    this.#applyToPorts(config);
    applyLogConfig(this.parts.log, { before: this.config.log, after: config.log });
    this.config = config;
  }

  /** From now on the process is not ready. */
  announceDrain(): void {
    this.#isDraining = true;
  }

  /** Readiness of the Checks, and of the services beside them. */
  readiness({ lacking }: Pick<Readiness, 'lacking'>): Readiness {
    const ofServices = this.services.all.flatMap((service) => service.lacking?.() ?? []);
    const all = [...(this.#isDraining ? ['draining'] : []), ...lacking, ...ofServices];
    return { ready: all.length === 0, lacking: all };
  }
}

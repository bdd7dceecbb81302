/**
 * grpc.health.v1: SERVING from the opening of the port until the drain, for "" and the Authorization service. Whether
 * keys are available is reported by `/readyz`: a gate that answers 503 still answers. Each transport puts it on the wire.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md GRPC Health Checking Protocol
 */
import { AUTHORIZATION_SERVICE, type HealthResponse } from './service-definitions.js';

type ServingStatus = HealthResponse['status'];

/** One Watch stream. */
export interface HealthWatcher {
  send(status: ServingStatus): void;
  end(): void;
}

const SERVICES: ReadonlySet<string> = new Set(['', AUTHORIZATION_SERVICE]);

/** Most Watch streams at once; each holds memory until it ends. */
const MAX_WATCHERS = 1000;

/** Answers probes. */
export class Health {
  private serving = true;
  private readonly watchers = new Set<HealthWatcher>();

  /** @returns undefined for a service that is not here */
  statusOf(service: string): ServingStatus | undefined {
    return SERVICES.has(service) ? this.state() : undefined;
  }

  /** Sends the status now, and whenever it changes. @returns false: too many watch already */
  watch(service: string, watcher: HealthWatcher): boolean {
    if (this.watchers.size >= MAX_WATCHERS) return false;
    this.watchers.add(watcher);
    watcher.send(this.statusOf(service) ?? 'SERVICE_UNKNOWN');
    return true;
  }

  /** The watcher is gone. */
  unwatch(watcher: HealthWatcher): void {
    this.watchers.delete(watcher);
  }

  /** From now on probes and Watch streams get NOT_SERVING. */
  announceStop(): void {
    if (!this.serving) return;
    this.serving = false;
    for (const watcher of this.watchers) watcher.send('NOT_SERVING');
  }

  /** Ends Watch streams, so that the port can close. */
  stop(): void {
    this.announceStop();
    for (const watcher of this.watchers) watcher.end();
    this.watchers.clear();
  }

  private state(): ServingStatus {
    return this.serving ? 'SERVING' : 'NOT_SERVING';
  }
}

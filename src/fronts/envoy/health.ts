/**
 * grpc.health.v1: SERVING from the opening of the port until the drain, for "" and the Authorization service. Whether
 * keys are available is reported by `/readyz`: a gate that answers 503 still answers.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md GRPC Health Checking Protocol
 */
import {
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { AUTHORIZATION_SERVICE, type HealthRequest, type HealthResponse } from './service-definitions.js';

type Watcher = ServerWritableStream<HealthRequest, HealthResponse>;

const SERVICES: ReadonlySet<string> = new Set(['', AUTHORIZATION_SERVICE]);

/** Most Watch streams at once; each holds memory until it ends. */
const MAX_WATCHERS = 1000;

/** Answers probes. */
export class Health {
  private serving = true;
  private readonly watchers = new Set<Watcher>();

  /** The handlers of the service. */
  readonly handlers: UntypedServiceImplementation = {
    Check: (
      call: ServerUnaryCall<HealthRequest, HealthResponse>,
      callback: sendUnaryData<HealthResponse>,
    ) => {
      if (SERVICES.has(call.request.service)) callback(null, { status: this.state() });
      else callback({ code: status.NOT_FOUND, details: 'unknown service' });
    },
    Watch: (call: Watcher) => this.watch(call),
  };

  /** From now on probes and Watch streams get NOT_SERVING. */
  announceStop(): void {
    if (!this.serving) return;
    this.serving = false;
    for (const watcher of this.watchers) watcher.write({ status: 'NOT_SERVING' });
  }

  /** Ends Watch streams, so that the port can close. */
  stop(): void {
    this.announceStop();
    for (const watcher of this.watchers) watcher.end();
    this.watchers.clear();
  }

  private state(): HealthResponse['status'] {
    return this.serving ? 'SERVING' : 'NOT_SERVING';
  }

  private watch(call: Watcher): void {
    if (this.watchers.size >= MAX_WATCHERS) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watchers' });
      return;
    }
    call.write({ status: SERVICES.has(call.request.service) ? this.state() : 'SERVICE_UNKNOWN' });
    this.watchers.add(call);
    call.on('cancelled', () => {
      this.watchers.delete(call);
      call.end();
    });
  }
}

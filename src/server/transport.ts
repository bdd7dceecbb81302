/** Which transport serves the gRPC port. Only the one that is configured is loaded. */
import type { Config } from '../config/config.js';
import type { GrpcServer } from '../fronts/envoy/grpc.js';
import type { TransportObserver } from '../fronts/envoy/lean-server.js';
import type { Logger } from '../ports.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import { grpcOptionsOf } from './grpc-options.js';

/** What the port is opened with. */
export interface TransportParts {
  readonly runtime: Pick<Runtime, 'handler' | 'metrics'>;
  readonly log: Logger;
  /** true: the primary process holds the address. */
  readonly shared: boolean;
}

/** Opens the gRPC port. @throws Error when it cannot be bound */
export async function openTransport(
  config: Config,
  { runtime, log, shared }: TransportParts,
): Promise<GrpcServer> {
  const options = { ...grpcOptionsOf(config), shared };
  if (config.server.transport === 'grpc-js') {
    const { startGrpcServer } = await import('../fronts/envoy/grpc.js');
    return startGrpcServer(runtime.handler, options);
  }
  const { startLeanServer } = await import('../fronts/envoy/lean-server.js');
  const { CUT_REASONS } = await import('../fronts/envoy/http2/limits.js');
  const { transport } = runtime.metrics;
  const report = createCutReport(log, () => performance.now());
  const observer: TransportObserver = {
    cut: (reason, peer, error) => {
      transport.cut(reason);
      report(reason, peer, error);
    },
    observe: (connections) => transport.opened(connections, CUT_REASONS),
  };
  return startLeanServer(runtime.handler, { ...options, observer });
}

const LINE_EVERY_MS = 1000;

/**
 * Logs that peers were cut, in at most one line per second: a flood of hostile connections must not become a flood of lines.
 * What was left out is in the next line as a number.
 *
 * @param nowMs a monotonic time, milliseconds
 */
export function createCutReport(
  log: Pick<Logger, 'warn' | 'error'>,
  nowMs: () => number,
): TransportObserver['cut'] {
  let nextMs = -Infinity;
  let omitted = 0;
  return (reason, peer, error) => {
    const now = nowMs();
    if (now < nextMs) {
      omitted++;
      return;
    }
    nextMs = now + LINE_EVERY_MS;
    const fields = { reason, peer, omitted };
    omitted = 0;
    if (error === undefined) log.warn(fields, 'cut a connection of the gRPC port');
    else log.error({ ...fields, err: error }, 'a fault of the gRPC port has cost a connection');
  };
}

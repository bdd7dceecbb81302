/** Envoy, Portcullis and an upstream for one end-to-end test, and tokens that are good right now. */
import { startEchoUpstream } from './echo-upstream.mjs';
import type { EnvoyParts } from './envoy-config.mjs';
import { startEnvoy, type RunningEnvoy } from './envoy-process.mjs';
import { startPortcullis, type RunningPortcullis } from './portcullis-process.mjs';
import { AUDIENCE, ISSUER, testKey } from './tokens.js';
import { createHttp1Client, createHttp2Client, type WireClient, type WireResponse } from './wire-client.mjs';

export { liveToken } from './live-token.js';

/** How a stack differs from the plain one. */
export interface GateStackOptions {
  /** Over the plain configuration, key by key at the top. */
  readonly config?: Record<string, unknown>;
  /** Of envoy.yaml. */
  readonly change?: (parts: EnvoyParts) => void;
  /** How many Portcullis processes Envoy sends to in turn. */
  readonly replicas?: number;
  readonly env?: Record<string, string>;
}

/** A running stack. End its processes with stopAll(). */
export interface GateStack {
  readonly envoy: RunningEnvoy;
  readonly portcullis: readonly RunningPortcullis[];
  readonly upstream: Awaited<ReturnType<typeof startEchoUpstream>>;
  readonly http1: WireClient;
  readonly http2: WireClient;
}

/** Tokens of one issuer with a static key; the subject is told to the upstream. */
export const PLAIN_CONFIG = {
  // A machine that runs many tests at once is slow, not overloaded.
  server: { limits: { eventLoopDelay: '5s' } },
  issuers: [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }],
  identity: { headers: { 'x-user-id': 'sub' } },
  log: { decisions: 'all' },
};

/**
 * Starts upstream, Portcullis and Envoy.
 *
 * @throws Error when one of them is not ready in time
 */
export async function startGateStack(options: GateStackOptions = {}): Promise<GateStack> {
  const config = { ...PLAIN_CONFIG, ...options.config };
  const start = (_: unknown, index: number): Promise<RunningPortcullis> =>
    startPortcullis({ config, name: `portcullis-${index}`, ...(options.env ? { env: options.env } : {}) });
  const [upstream, ...portcullis] = await Promise.all([
    startEchoUpstream({ port: 0 }),
    ...Array.from({ length: options.replicas ?? 1 }, start),
  ]);
  const envoy = await startEnvoy({
    portcullis: portcullis[0]!.grpcPort,
    upstream: upstream.port,
    change: (parts) => {
      addReplicas(parts, portcullis);
      options.change?.(parts);
    },
  });
  const clients = { http1: createHttp1Client(envoy.port), http2: createHttp2Client(envoy.port) };
  return { envoy, portcullis, upstream, ...clients };
}

function addReplicas({ portcullis: cluster }: EnvoyParts, processes: readonly RunningPortcullis[]): void {
  cluster.load_assignment.endpoints[0].lb_endpoints = processes.map(({ grpcPort }) => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: grpcPort } } },
  }));
}

/** An Authorization field. */
export const bearer = (token: string): readonly [string, string] => ['authorization', `Bearer ${token}`];

/** What the upstream says that it received. */
export function echoed(response: WireResponse): {
  method: string;
  url: string;
  headers: Record<string, string[]>;
} {
  return JSON.parse(response.body);
}

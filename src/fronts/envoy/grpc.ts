/** The gRPC port: Check and health over TCP, TLS or a Unix socket. */
import {
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { CheckHandler } from './check.js';
import { grpcJsHealth } from './grpc-js-health.js';
import { Health } from './health.js';
import { authorizationDefinition, healthDefinition } from './service-definitions.js';
import { ReplaceableCredentials, type GrpcTls } from './server-credentials.js';
import { createTurnBatch } from './turn-batch.js';
import { prepareSocket, withSocketMode } from './unix-socket.js';

/** Where and how the port opens. */
export interface GrpcServerOptions {
  /** `host:port` or `unix:/path`. */
  readonly address: string;
  /** undefined: plain text. */
  readonly tls: GrpcTls | undefined;
  /** Longest message that is judged, bytes. The port takes longer ones, so that they can be answered. */
  readonly maxMessageBytes: number;
  /** true: the primary process holds the address, and takes care of a Unix socket's file. */
  readonly shared?: boolean;
}

/** An open gRPC port. */
export interface GrpcServer {
  /** The TCP port that was bound; 0 for a socket. */
  readonly port: number;
  /**
   * Takes new TLS material for new connections. Has no effect on a port without TLS.
   *
   * @throws Error when the material cannot be used; the old one stays
   */
  replaceTls(tls: GrpcTls | undefined): void;
  /** From now on health reports NOT_SERVING. The port goes on taking work. */
  announceDrain(): void;
  /**
   * Takes no new work, lets what is in flight end, and cuts what is left after the time.
   *
   * @param timeoutMs milliseconds
   */
  drain(timeoutMs: number): Promise<void>;
}

/** What a client may cost in keepalive pings, idle connections and streams. */
const CHANNEL_OPTIONS = {
  'grpc.enable_channelz': 0,
  'grpc.max_concurrent_streams': 1000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/**
 * A message over the limit still gets its 413. One over this limit is not read at all; the call fails, and Envoy's failure
 * mode decides, so it is larger than any body that Envoy is usually allowed to buffer.
 */
const HARD_LIMIT_FACTOR = 4;
const HARD_LIMIT_FLOOR_BYTES = 64 * 1024 * 1024;

/** Opens the port. @throws Error when the address cannot be bound */
export async function startGrpcServer(
  handler: CheckHandler,
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  // grpc-js logs to stderr in its own format. Whatever matters reaches us as errors.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    ...CHANNEL_OPTIONS,
    'grpc.max_receive_message_length': Math.max(
      HARD_LIMIT_FLOOR_BYTES,
      options.maxMessageBytes * HARD_LIMIT_FACTOR,
    ),
  });
  const health = new Health();
  server.addService(authorizationDefinition, { Check: checkMethod(handler) });
  server.addService(healthDefinition, grpcJsHealth(health));
  const credentials = options.tls === undefined ? undefined : new ReplaceableCredentials(options.tls);
  const port = await bind(server, credentials ?? ServerCredentials.createInsecure(), options);
  return {
    port,
    replaceTls: (tls) => {
      if (tls !== undefined) credentials?.replace(tls);
    },
    announceDrain: () => health.announceStop(),
    drain: (timeoutMs) => drain(server, health, timeoutMs),
  };
}

type Check = ServerUnaryCall<Buffer, Buffer>;
type Respond = sendUnaryData<Buffer>;

/** All Checks of a turn are decided, and then all are answered. */
function checkMethod(handler: CheckHandler): (call: Check, respond: Respond) => void {
  const enqueue = createTurnBatch<{ readonly call: Check; readonly respond: Respond }>((checks) => {
    const answers = checks.map(({ call }) => decide(handler, call));
    for (const [index, { respond }] of checks.entries())
      send(respond, answers[index] as Buffer | Promise<Buffer>);
  });
  return (call, respond) => enqueue({ call, respond });
}

function decide(handler: CheckHandler, call: Check): Buffer | Promise<Buffer> {
  return handler.check(call.request, {
    policy: policyOf(call),
    authority: call.getHost(),
    deadlineMs: Number(call.getDeadline()),
    ...(handler.isTraced === true ? { traceParent: traceParentOf(call) } : {}),
  });
}

function send(respond: Respond, answer: Buffer | Promise<Buffer>): void {
  if (answer instanceof Promise) void answer.then((bytes) => respond(null, bytes));
  else respond(null, answer);
}

/** Several are as bad as none. */
function traceParentOf(call: Check): string | undefined {
  const values = call.metadata.get('traceparent');
  return values.length === 1 ? String(values[0]) : undefined;
}

/** Metadata `portcullis-policy`; several values count as an unknown name. */
function policyOf(call: Check): string | undefined {
  const values = call.metadata.get('portcullis-policy');
  if (values.length === 0) return undefined;
  return values.length === 1 ? String(values[0]) : '';
}

async function bind(
  server: Server,
  credentials: ServerCredentials,
  { address, shared }: GrpcServerOptions,
): Promise<number> {
  const open = (): Promise<number> =>
    new Promise((resolve, reject) => {
      server.bindAsync(address, credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  if (shared === true) return open();
  await prepareSocket(address);
  return withSocketMode(address, open);
}

async function drain(server: Server, health: Health, timeoutMs: number): Promise<void> {
  health.stop();
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), timeoutMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

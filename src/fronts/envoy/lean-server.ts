/** The gRPC port on the lean transport: Check and health over HTTP/2 of our own, for Envoy alone. */
import { parseAddress } from '../../config/address.js';
import type { CheckCall, CheckHandler } from './check.js';
import type { GrpcServer, GrpcServerOptions } from './grpc.js';
import { Health } from './health.js';
import { ByteBudget } from './http2/byte-budget.js';
import { GrpcHandler } from './http2/grpc/handler.js';
import type { GrpcCall, GrpcMethods, UnaryMethod } from './http2/grpc/service.js';
import { GrpcFailure, GrpcStatus } from './http2/grpc/status.js';
import { DEFAULT_LIMITS, type CutReason, type Http2Limits } from './http2/limits.js';
import { startHttp2Server, type Http2ServerOptions } from './http2/server.js';
import { leanHealth } from './lean-health.js';
import { authorizationDefinition } from './service-definitions.js';
import { prepareSocket, withSocketMode } from './unix-socket.js';

/** What is reported of peers. */
export interface TransportObserver {
  /** A connection was ended, or not taken. The error is given where it is a fault of ours. */
  cut(reason: CutReason, peer: string, error?: unknown): void;
  /** Where the number of open connections is read. */
  observe(connections: () => number): void;
}

/** What only this transport takes. */
export interface LeanServerOptions extends GrpcServerOptions {
  readonly observer?: TransportObserver;
  /** Bounds that differ from the usual ones. */
  readonly limits?: Partial<Http2Limits>;
  /** Monotonic time in milliseconds, and a timer; those of the machine unless a test says otherwise. */
  readonly nowMs?: () => number;
  readonly every?: Http2ServerOptions['every'];
}

/** Opens the port. @throws Error when the address cannot be bound */
export async function startLeanServer(
  handler: CheckHandler,
  options: LeanServerOptions,
): Promise<GrpcServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const health = new Health();
  const methods: GrpcMethods = new Map([
    [authorizationDefinition.Check.path, checkMethod(handler)],
    ...leanHealth(health),
  ]);
  const bodies = new ByteBudget(limits.processBodyBytes);
  const open = () =>
    startHttp2Server({
      listen: listenOptionsOf(options.address),
      tls: options.tls,
      limits,
      createHandler: () =>
        new GrpcHandler({
          methods,
          bodies: new ByteBudget(limits.connectionBodyBytes, bodies),
          maxHandlers: limits.handlers,
          maxMessageBytes: () => handler.refusal?.maxMessageBytes() ?? limits.connectionBodyBytes,
          now: () => Date.now(),
        }),
      nowMs: options.nowMs ?? (() => performance.now()),
      every: options.every ?? everyInterval,
      cut: (reason, peer, error) => options.observer?.cut(reason, peer, error),
    });
  if (options.shared !== true) await prepareSocket(options.address);
  const server = await (options.shared === true ? open() : withSocketMode(options.address, open));
  options.observer?.observe(() => server.connections);
  return {
    port: server.port,
    replaceTls: (tls) => {
      if (tls !== undefined) server.replaceTls(tls);
    },
    announceDrain: () => health.announceStop(),
    drain: (timeoutMs) => {
      health.stop();
      return server.drain(timeoutMs);
    },
  };
}

/** No batch here: a Check is decided where its bytes lie, and the answers of a chunk leave in one write anyway. */
function checkMethod(handler: CheckHandler): UnaryMethod {
  const { refusal } = handler;
  return {
    kind: 'unary',
    handle: (message, call) => neverEmpty(handler.check(message, checkCallOf(call, handler))),
    ...(refusal === undefined
      ? {}
      : { refuse: (why, call) => neverEmpty(refusal.refuse(why, checkCallOf(call, handler))) }),
  };
}

function checkCallOf(call: GrpcCall, { isTraced }: CheckHandler): CheckCall {
  const facts = { policy: policyOf(call), authority: call.authority, deadlineMs: call.deadlineMs };
  return isTraced === true ? { ...facts, traceParent: traceParentOf(call) } : facts;
}

/** Several are as bad as none. */
function traceParentOf(call: GrpcCall): string | undefined {
  const values = call.metadata('traceparent');
  return values.length === 1 ? String(values[0]) : undefined;
}

/** Metadata `portcullis-policy`; several values count as an unknown name. */
function policyOf(call: GrpcCall): string | undefined {
  const values = call.metadata('portcullis-policy');
  if (values.length === 0) return undefined;
  return values.length === 1 ? String(values[0]) : '';
}

/** An empty CheckResponse has no status, and no status allows. A call that fails instead is refused by Envoy. */
function neverEmpty(answer: Buffer | Promise<Buffer>): Buffer | Promise<Buffer> {
  if (answer instanceof Promise) return answer.then(neverEmpty);
  if (answer.length === 0) throw new GrpcFailure(GrpcStatus.INTERNAL, 'internal error');
  return answer;
}

function listenOptionsOf(address: string): Http2ServerOptions['listen'] {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error('the address is neither host:port nor unix:/path');
  return parsed.kind === 'unix' ? { path: parsed.path } : { host: parsed.host, port: parsed.port };
}

function everyInterval(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs).unref();
  return () => clearInterval(timer);
}

/**
 * One way of answering a Check with a constant, chosen by VARIANT: the material of docs/decisions/0003-transport.md.
 * All of them use what @grpc/grpc-js and node:http2 export, and nothing beneath it.
 */
import http2 from 'node:http2';
import net from 'node:net';
import grpc from '@grpc/grpc-js';
import { checkDefinition, checkPath, grpcFrame, serializeCheckResponse } from '../lib/check-request.mjs';

const message = { status: { code: 0 }, ok_response: { headers_to_remove: ['authorization'] } };
const answer = serializeCheckResponse(message);
const framed = grpcFrame(answer);
const identity = (bytes) => bytes;
const unary = (_call, respond) => respond(null, answer);
const ok = { code: grpc.status.OK, details: 'OK', metadata: null };
const noop = () => undefined;
const off = { 'grpc.enable_channelz': 0 };

const grpcServer = (
  options,
  handler = unary,
  { serialize = identity, deserialize = identity, type = 'unary' } = {},
) => {
  const server = new grpc.Server(options);
  server.register(checkPath, handler, serialize, deserialize, type);
  return server;
};

/** The status goes out right behind the message: both, and the headers, leave in one write. */
class StatusWithMessage extends grpc.ServerInterceptingCall {
  constructor(call) {
    super(call);
    this.inner = call;
  }

  start(listener) {
    this.inner.start(listener);
  }

  sendMessage(bytes, sent) {
    this.inner.sendMessage(bytes, noop);
    sent();
  }

  sendStatus(status) {
    this.inner.sendStatus(status);
  }
}

/** Answers from the listener itself: no stream object is made for a handler that is never called. */
class AnswerInListener extends grpc.ServerInterceptingCall {
  constructor(call, { atOnce }) {
    super(call);
    this.inner = call;
    this.atOnce = atOnce;
    this.request = undefined;
  }

  start() {
    this.inner.start(this);
  }

  onReceiveMetadata() {
    this.inner.startRead();
  }

  onReceiveMessage(bytes) {
    this.request = bytes;
    if (this.atOnce) this.answer();
    else this.inner.startRead();
  }

  onReceiveHalfClose() {
    this.answer();
  }

  onCancel() {
    this.request = undefined;
  }

  answer() {
    this.inner.sendMessage(answer, noop);
    this.inner.sendStatus(ok);
  }
}

/** The same without the base class: what its constructor costs. The declared type of an interceptor does not allow it. */
function duckTyped(inner) {
  const listener = {
    onReceiveMetadata: () => inner.startRead(),
    onReceiveMessage: () => inner.startRead(),
    onReceiveHalfClose() {
      inner.sendMessage(answer, noop);
      inner.sendStatus(ok);
    },
    onCancel: noop,
  };
  return { start: () => inner.start(listener) };
}

const passThrough = (_method, call) =>
  new grpc.ServerInterceptingCall(call, {
    start: (next) =>
      next(new grpc.ServerListenerBuilder().withOnReceiveMessage((bytes, on) => on(bytes)).build()),
  });

const bare = (early) => {
  const headers = { ':status': 200, 'content-type': 'application/grpc+proto' };
  const server = http2.createServer();
  server.on('stream', (stream) => {
    const reply = () => {
      stream.respond(headers, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0, 'grpc-message': 'OK' }));
      stream.end(framed);
    };
    stream.on('error', noop);
    if (early) stream.once('data', reply);
    else stream.on('data', noop).once('end', reply);
  });
  return server;
};

const variants = {
  http2: () => bare(false),
  'http2-at-once': () => bare(true),
  floor: () => grpcServer(off),
  'channelz-on': () => grpcServer({}),
  'server-stream': () =>
    grpcServer(
      off,
      (call) => {
        call.write(answer);
        call.end();
      },
      { type: 'serverStream' },
    ),
  'client-stream': () =>
    grpcServer(off, (call, respond) => call.on('data', noop).on('end', () => respond(null, answer)), {
      type: 'clientStream',
    }),
  'async-handler': () => grpcServer(off, async (_call, respond) => respond(null, await answer)),
  'cancel-listener': () =>
    grpcServer(off, (call, respond) => {
      call.on('cancelled', noop);
      respond(null, answer);
    }),
  'reads-call': () =>
    grpcServer(off, (call, respond) => {
      const known =
        call.metadata.get('portcullis-policy').length + call.getHost().length + Number(call.getDeadline());
      respond(null, known === 0 ? Buffer.alloc(0) : answer);
    }),
  'reads-metadata-map': () =>
    grpcServer(off, (call, respond) => respond(null, call.metadata.getMap().x === '' ? framed : answer)),
  'send-metadata': () =>
    grpcServer(off, (call, respond) => {
      call.sendMetadata(new grpc.Metadata());
      respond(null, answer);
    }),
  'interceptor-pass-through': () => grpcServer({ ...off, interceptors: [passThrough] }),
  'message-limits': () =>
    grpcServer({
      ...off,
      'grpc.max_receive_message_length': 2 ** 20,
      'grpc.max_send_message_length': 2 ** 20,
    }),
  'max-streams': () => grpcServer({ ...off, 'grpc.max_concurrent_streams': 1000 }),
  'session-memory': () => grpcServer({ ...off, 'grpc-node.max_session_memory': 10 }),
  'flow-control-window': () => grpcServer({ ...off, 'grpc-node.flow_control_window': 2 ** 20 }),
  keepalive: () =>
    grpcServer({ ...off, 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 }),
  'idle-timeout': () => grpcServer({ ...off, 'grpc.max_connection_idle_ms': 300_000 }),
  injector: () => grpcServer(off),
  'proto-loader': () =>
    grpcServer(off, (_call, respond) => respond(null, message), {
      serialize: checkDefinition.responseSerialize,
      deserialize: checkDefinition.requestDeserialize,
    }),
  'status-with-message': () =>
    grpcServer({ ...off, interceptors: [(_method, call) => new StatusWithMessage(call)] }),
  'answer-in-listener': () =>
    grpcServer({ ...off, interceptors: [(_method, call) => new AnswerInListener(call, { atOnce: false })] }),
  'answer-duck-typed': () => grpcServer({ ...off, interceptors: [(_method, call) => duckTyped(call)] }),
  'answer-at-message': () =>
    grpcServer({ ...off, interceptors: [(_method, call) => new AnswerInListener(call, { atOnce: true })] }),
};

const port = Number(process.env.PORT);

function serve(name, server) {
  if (server instanceof grpc.Server && name !== 'injector') {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => error && process.exit(1));
  } else (name === 'injector' ? injected(server) : server).listen(port, '127.0.0.1');
}

function injected(server) {
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  return net.createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
}

if (process.argv[2] === '--list') process.stdout.write(`${Object.keys(variants).join('\n')}\n`);
else serve(process.env.VARIANT, variants[process.env.VARIANT]());
process.once('SIGTERM', () => process.exit(0));

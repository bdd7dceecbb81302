import { createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { Connection } from './connection.js';
import type { CutReason, Http2Limits } from './limits.js';
import { QueuedBytes } from './queued-bytes.js';
import type { RequestHandler } from './stream.js';

/** TLS material as PEM. */
export interface Http2Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients must show a certificate that it signed; undefined: none is asked for. */
  readonly clientCa: Buffer | undefined;
}

/** A server of HTTP/2, and what it serves. */
export interface Http2ServerOptions {
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string };
  /** undefined: plain text, with prior knowledge. Otherwise ALPN must choose `h2`. */
  readonly tls: Http2Tls | undefined;
  readonly limits: Http2Limits;
  /** Called for each connection. */
  createHandler(): RequestHandler;
  /** Monotonic, milliseconds. */
  nowMs(): number;
  /** Calls again and again until the function that it returns is called. */
  every(intervalMs: number, run: () => void): () => void;
  /** A peer went past a bound, or broke the protocol. The error is given where it is a fault of ours. */
  cut(reason: CutReason, peer: string, error?: unknown): void;
}

/** An open port. */
export interface Http2Server {
  /** The TCP port that was bound; 0 for a socket. */
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** For new connections. @throws Error when OpenSSL does not take it; the old material stays */
  replaceTls(tls: Http2Tls): void;
  /**
   * Takes no new connections and streams, lets what is under way end, and cuts what is left after the time.
   *
   * @param timeoutMs milliseconds
   */
  drain(timeoutMs: number): Promise<void>;
}

/** How exact time-outs are. */
const SWEEP_MS = 500;

/** Opens a port. @throws Error when it cannot be bound, or OpenSSL does not take the TLS material */
export async function startHttp2Server(options: Http2ServerOptions): Promise<Http2Server> {
  const server = new ListeningServer(options);
  await server.listen();
  return server;
}

class ListeningServer implements Http2Server {
  private readonly open = new Map<Connection, Socket>();
  private readonly queued: QueuedBytes;
  private readonly server: Server;
  private readonly tlsServer: TlsServer | undefined;
  private readonly stopSweeping: () => void;
  private isDraining = false;
  private allClosed: () => void = () => undefined;

  constructor(private readonly options: Http2ServerOptions) {
    const { tls, limits } = options;
    this.queued = new QueuedBytes(limits.processQueuedBytes);
    const accept = (socket: Socket): void => this.accept(socket);
    this.tlsServer = tls === undefined ? undefined : openTls(tls, limits.headerMs, accept);
    this.server = this.tlsServer ?? createPlainServer({ noDelay: true }, accept);
    this.server.maxConnections = limits.connections;
    this.server.on('drop', (dropped) =>
      options.cut('too_many_connections', dropped?.remoteAddress ?? 'unknown'),
    );
    this.stopSweeping = options.every(SWEEP_MS, () => this.sweep());
  }

  get port(): number {
    const address = this.server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get connections(): number {
    return this.open.size;
  }

  async listen(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.server.once('error', reject);
        this.server.listen(this.options.listen, () => {
          this.server.off('error', reject);
          // A connection that could not be accepted, such as for want of descriptors. The port goes on.
          this.server.on('error', () => undefined);
          resolve();
        });
      });
    } catch (error) {
      this.stopSweeping();
      throw error;
    }
  }

  replaceTls(tls: Http2Tls): void {
    this.tlsServer?.setSecureContext(contextOf(tls));
  }

  async drain(timeoutMs: number): Promise<void> {
    this.isDraining = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    const ended = new Promise<void>((resolve) => {
      this.allClosed = resolve;
    });
    for (const connection of [...this.open.keys()]) connection.drain();
    if (this.open.size === 0) this.allClosed();
    const cut = setTimeout(() => this.destroyAll(), timeoutMs);
    await ended;
    clearTimeout(cut);
    this.stopSweeping();
    // Connections that never got past their TLS handshake hold the port open; nothing of theirs is lost.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 100).unref())]);
  }

  private accept(socket: Socket): void {
    const { options, open } = this;
    const peer = socket.remoteAddress ?? 'unix';
    const connection = new Connection(socket, {
      limits: options.limits,
      handler: options.createHandler(),
      queued: this.queued,
      nowMs: () => options.nowMs(),
      cut: (reason, error) => options.cut(reason, peer, error),
    });
    open.set(connection, socket);
    socket.on('data', (chunk: Buffer) => connection.receive(chunk));
    socket.on('drain', () => connection.drained());
    // A connection that breaks is closed, and that is all there is to do.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(connection);
      connection.closed();
      if (this.isDraining && open.size === 0) this.allClosed();
    });
    if (this.isDraining) connection.drain();
  }

  private sweep(): void {
    for (const connection of this.open.keys()) connection.sweep();
  }

  private destroyAll(): void {
    for (const socket of this.open.values()) socket.destroy();
  }
}

/** ALPN must choose `h2`. Clients that do not finish their handshake in time are cut. */
function openTls(tls: Http2Tls, handshakeTimeout: number, accept: (socket: Socket) => void): TlsServer {
  const server = createTlsServer({
    ...contextOf(tls),
    requestCert: tls.clientCa !== undefined,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout,
    noDelay: true,
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') accept(socket);
    else socket.destroy();
  });
  return server;
}

function contextOf({ cert, key, clientCa }: Http2Tls) {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

/** The one place where HTTP ports open: time-outs, a cap on connections, TLS whose certificate can be replaced. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { createAdaptorServer } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { parseAddress } from '../config/address.js';
import type { TlsConfig } from '../config/config.js';

/** Where and how a port opens. */
export interface HttpPortOptions {
  /** `host:port`. */
  readonly address: string;
  /** undefined: plain text. */
  readonly tls: TlsConfig | undefined;
}

/** An open HTTP port. */
export interface HttpPort {
  /** The TCP port that was bound. */
  readonly port: number;
  /**
   * Takes new TLS material. Connections that are open go on with the old; whether the port speaks TLS does not change.
   *
   * @throws Error when the certificate and key cannot be used; the old ones stay
   */
  replaceTls(tls: TlsConfig | undefined): void;
  /** Takes no new connections, gives requests under way a moment to end, cuts the rest. */
  close(): Promise<void>;
}

/** What a slow or idle client may cost, milliseconds. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
};
const MAX_CONNECTIONS = 1000;
const MAX_HEADER_BYTES = 16_384;
/** How long requests under way may take to end when the port closes. */
const CLOSE_GRACE_MS = 1000;

/** Serves an app. @throws Error when the address cannot be bound */
export async function openHttpPort(app: OpenAPIHono, { address, tls }: HttpPortOptions): Promise<HttpPort> {
  const limits = { ...TIMEOUTS, maxHeaderSize: MAX_HEADER_BYTES };
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...(tls === undefined
      ? { createServer, serverOptions: limits }
      : { createServer: createTlsServer, serverOptions: { ...limits, cert: tls.cert, key: tls.key } }),
  }) as Server | TlsServer;
  server.maxConnections = MAX_CONNECTIONS;
  return open(server, address, CLOSE_GRACE_MS);
}

/**
 * Proxies keep connections open and ask again on them. The port must not be the first to close an idle one: the next
 * question would be lost with it.
 */
const PROXY_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 90_000,
  connectionsCheckingInterval: 5_000,
  // A token, cookies, and what the client sent beside.
  maxHeaderSize: 65_536,
};
const MAX_PROXY_CONNECTIONS = 10_000;

/**
 * Serves the questions of proxies. With `clientCa` a proxy must show a certificate that it signed.
 *
 * @throws Error when the address cannot be bound
 */
export async function openProxyPort(
  listener: RequestListener,
  { address, tls }: HttpPortOptions,
): Promise<ProxyPort> {
  let draining = false;
  const listen: RequestListener = (request, response) => {
    // The proxy goes to another process with its next question.
    if (draining) response.shouldKeepAlive = false;
    listener(request, response);
  };
  const server =
    tls === undefined
      ? createServer(PROXY_LIMITS, listen)
      : createTlsServer({ ...PROXY_LIMITS, ...secureOptions(tls) }, listen);
  server.maxConnections = MAX_PROXY_CONNECTIONS;
  const port = await open(server, address, CLOSE_GRACE_MS);
  return {
    ...port,
    announceDrain: () => {
      draining = true;
    },
    drain: (timeoutMs) => close(server, timeoutMs),
  };
}

/** An open port for proxies. */
export interface ProxyPort extends HttpPort {
  /** From now on each connection ends with its next answer. The port goes on taking work. */
  announceDrain(): void;
  /** Takes no new connections, lets questions under way end, and cuts what is left after the time, milliseconds. */
  drain(timeoutMs: number): Promise<void>;
}

function secureOptions({ cert, key, clientCa }: TlsConfig): TlsOptions {
  return clientCa === undefined
    ? { cert, key }
    : { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

async function open(server: Server | TlsServer, address: string, graceMs: number): Promise<HttpPort> {
  const parsed = parseAddress(address);
  if (parsed?.kind !== 'tcp') throw new Error(`${address}: must be host:port`);
  await listen(server, parsed);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : parsed.port,
    replaceTls: (next) => {
      if (next !== undefined && 'setSecureContext' in server) server.setSecureContext(secureOptions(next));
    },
    close: () => close(server, graceMs),
  };
}

function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** The one place where HTTP ports open: time-outs, a cap on connections, TLS whose certificate can be replaced. */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
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
  const parsed = parseAddress(address);
  if (parsed?.kind !== 'tcp') throw new Error(`${address}: must be host:port`);
  const limits = { ...TIMEOUTS, maxHeaderSize: MAX_HEADER_BYTES };
  const server = createAdaptorServer({
    fetch: app.fetch,
    ...(tls === undefined
      ? { createServer, serverOptions: limits }
      : { createServer: createTlsServer, serverOptions: { ...limits, cert: tls.cert, key: tls.key } }),
  }) as Server | TlsServer;
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, parsed);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : parsed.port,
    replaceTls: (next) => {
      if (next !== undefined && 'setSecureContext' in server)
        server.setSecureContext({ cert: next.cert, key: next.key });
    },
    close: () => close(server),
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

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

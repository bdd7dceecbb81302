import type { Agent, request } from 'undici';
import { createCheckedLookup, type ResolveHost, systemResolveHost } from './checked-lookup.js';

/** How connections are made. */
export interface ConnectionOptions {
  readonly timeoutMs: number;
  /** Resolves names; the system's resolver unless given. */
  readonly resolveHost?: ResolveHost;
  /** Connections kept to one origin. */
  readonly maxConnectionsPerOrigin?: number;
  /** PEM: the certificate that is shown to servers, and its private key. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined;
}

/** Connections, and the way to send something over them. */
export interface Connections {
  readonly agent: Agent;
  readonly request: typeof request;
}

/** Loaded for the first request: workers, and whoever has the keys in the configuration, never send one. */
export async function openConnections(options: ConnectionOptions): Promise<Connections> {
  const undici = await import('undici');
  return { agent: createAgent(undici.Agent, options), request: undici.request };
}

function createAgent(
  AgentClass: typeof Agent,
  { resolveHost, maxConnectionsPerOrigin, timeoutMs, clientCertificate }: ConnectionOptions,
): Agent {
  return new AgentClass({
    connections: maxConnectionsPerOrigin ?? 4,
    pipelining: 1,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
    connect: {
      lookup: createCheckedLookup(resolveHost ?? systemResolveHost),
      // NODE_TLS_REJECT_UNAUTHORIZED must not open this.
      rejectUnauthorized: true,
      timeout: timeoutMs,
      ...(clientCertificate === undefined
        ? {}
        : { cert: clientCertificate.cert, key: clientCertificate.key }),
    },
  });
}

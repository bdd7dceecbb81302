/** Configuration → how the ports open. */
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/config.js';
import type { GrpcServerOptions } from '../fronts/envoy/grpc.js';
import type { GrpcTls } from '../fronts/envoy/server-credentials.js';

/** @param config good; its TLS members hold PEM text by now */
export function grpcOptionsOf(config: Config): GrpcServerOptions {
  const { grpc, limits } = config.server;
  return { address: grpc, tls: grpcTlsOf(config), maxMessageBytes: limits.maxMessageBytes };
}

/** The TLS material of the gRPC port; undefined: plain text. */
export function grpcTlsOf({ server }: Config): GrpcTls | undefined {
  if (server.tls === undefined) return undefined;
  const { cert, key, clientCa } = server.tls;
  return {
    cert: Buffer.from(cert),
    key: Buffer.from(key),
    clientCa: clientCa === undefined ? undefined : Buffer.from(clientCa),
  };
}

/**
 * Tries the TLS material of all ports out, so that a reload fails before it has changed anything.
 *
 * @throws Error when OpenSSL does not take it
 */
export function assertTlsUsable({ server }: Config): void {
  for (const tls of [server.tls, server.publicTls, server.http?.tls]) {
    if (tls !== undefined)
      createSecureContext({
        cert: tls.cert,
        key: tls.key,
        ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }),
      });
  }
}

/** Configuration → how the gRPC port opens. */
import type { Config } from '../config/config.js';
import type { GrpcServerOptions } from '../fronts/envoy/grpc.js';

/** @param config good; its TLS members hold PEM text by now */
export function grpcOptionsOf({ server }: Config): GrpcServerOptions {
  return {
    address: server.grpc,
    tls:
      server.tls === undefined
        ? undefined
        : {
            cert: Buffer.from(server.tls.cert),
            key: Buffer.from(server.tls.key),
            clientCa: server.tls.clientCa === undefined ? undefined : Buffer.from(server.tls.clientCa),
          },
    maxMessageBytes: server.limits.maxMessageBytes,
  };
}

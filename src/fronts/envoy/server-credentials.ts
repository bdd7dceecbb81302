import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

/** TLS material of the port, as PEM. */
export interface GrpcTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients must show a certificate that it signed; undefined: none is asked for. */
  readonly clientCa: Buffer | undefined;
}

/**
 * TLS of a gRPC port whose certificate, key and client CA can be replaced while it serves. New connections get the new
 * material; those that are open go on, so a client whose CA was removed stays until it connects again. Whether client
 * certificates are asked for does not change.
 */
export class ReplaceableCredentials extends ServerCredentials {
  /** @throws Error when OpenSSL does not take the material */
  constructor(tls: GrpcTls) {
    super({ requestCert: tls.clientCa !== undefined, rejectUnauthorized: true }, contextOf(tls));
  }

  /** @throws Error when OpenSSL does not take the material; the old one stays */
  replace(tls: GrpcTls): void {
    this.updateSecureContextOptions(contextOf(tls));
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Tried out first: the port would refuse every connection with material that it cannot use. */
function contextOf({ cert, key, clientCa }: GrpcTls): SecureContextOptions {
  const options: SecureContextOptions = { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) };
  createSecureContext(options);
  return options;
}

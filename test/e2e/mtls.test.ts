/** Certificate-bound tokens (RFC 8705) through a real TLS listener. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { createCertificate } from '../support/certificates.mjs';
import type { EnvoyParts } from '../support/envoy-config.mjs';
import { bearer, echoed, liveToken, startGateStack, type GateStack } from '../support/gate-stack.js';
import { stopAll } from '../support/processes.mjs';
import { createHttp2Client } from '../support/wire-client.mjs';

const authority = createCertificate('client authority');
const alice = createCertificate('alice', authority);
const mallory = createCertificate('mallory', authority);
const stranger = createCertificate('stranger');
const server = createCertificate('server');

const boundTo = (certificate: { der: Buffer }): string => {
  const thumbprint = createHash('sha256').update(certificate.der).digest('base64url');
  return liveToken({ claims: { sub: 'alice', cnf: { 'x5t#S256': thumbprint } } });
};

const withTls = ({ filterChain, manager }: EnvoyParts): void => {
  manager.scheme_header_transformation.scheme_to_overwrite = 'https';
  filterChain.transport_socket = {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      require_client_certificate: false,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [
          {
            certificate_chain: { inline_string: server.certificate },
            private_key: { inline_string: server.privateKey },
          },
        ],
        validation_context: { trusted_ca: { inline_string: authority.certificate } },
      },
    },
  };
};

let stack: GateStack;

/** A client with this certificate, or none. */
const as = (certificate?: typeof alice) =>
  createHttp2Client(stack.envoy.port, {
    secure: true,
    ca: server.certificate,
    ...(certificate ? { cert: certificate.certificate, key: certificate.privateKey } : {}),
  });

afterEach(async () => {
  await stack.upstream.close();
});
afterAll(stopAll);

describe.each([
  ['envoy', withTls],
  [
    'xfcc',
    (parts: EnvoyParts) => {
      withTls(parts);
      parts.manager.forward_client_cert_details = 'SANITIZE_SET';
      parts.manager.set_current_client_cert_details = { cert: true };
    },
  ],
] as const)('mtls.certificate: %s', (certificate, change) => {
  const start = async (): Promise<void> => {
    stack = await startGateStack({ config: { mtls: { certificate } }, change });
  };
  const token = boundTo(alice);

  test('a bound token passes with its certificate alone', async () => {
    await start();
    const passed = await as(alice)({ headers: [bearer(token)] });
    expect([passed.status, echoed(passed).headers['x-user-id']]).toEqual([200, ['alice']]);
    const stolen = await as(mallory)({ headers: [bearer(token)] });
    expect(stolen.status).toBe(401);
    expect(stolen.headers['www-authenticate']?.join()).toContain('error="invalid_token"');
    expect((await as()({ headers: [bearer(token)] })).status).toBe(401);
    expect((await as(alice)({ headers: [bearer(liveToken())] })).status).toBe(200);
  });

  test('a certificate that a client writes into a header is none', async () => {
    await start();
    const forged = ['x-forwarded-client-cert', `Cert="${encodeURIComponent(alice.certificate)}"`] as const;
    expect((await as()({ headers: [bearer(token), forged] })).status).toBe(401);
    expect((await as(mallory)({ headers: [bearer(token), forged] })).status).toBe(401);
  });

  test('a certificate of an authority that Envoy does not trust makes no connection', async () => {
    await start();
    await expect(as(stranger)({ headers: [bearer(boundTo(stranger))] })).rejects.toThrow();
  });
});

/** `tls_client_auth` with a real handshake: the issuer sees the certificate of this client, and of no other. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { credentials, type Client } from '@grpc/grpc-js';
import { createCertificate } from '../support/certificates.mjs';
import { AuthorizationClient, checkRequest, type CheckAnswer } from '../support/envoy-messages.js';
import { freePort } from '../support/free-port.mjs';
import { startPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { AUDIENCE, testKey } from '../support/tokens.js';

const authority = createCertificate('test authority');
const issuerCertificate = createCertificate('localhost', authority);
const ours = createCertificate('gate', authority);
const seen: { client: unknown; form: string; authorization: string | undefined }[] = [];
let server: Server;
let port: number;
const clients: Client[] = [];

beforeAll(async () => {
  port = await freePort();
  server = createServer(
    {
      cert: issuerCertificate.certificate,
      key: issuerCertificate.privateKey,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      let form = '';
      request.on('data', (chunk: Buffer) => (form += chunk.toString()));
      request.on('end', () => {
        const { subject } = (
          request.socket as unknown as Pick<TLSSocket, 'getPeerCertificate'>
        ).getPeerCertificate();
        seen.push({ client: subject.CN, form, authorization: request.headers.authorization });
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ active: true, aud: AUDIENCE, sub: 'ann' }));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
});

afterAll(async () => {
  for (const client of clients) client.close();
  await stopAll();
  server.close();
});

/** The HTTP status of a Check by a gate that shows this certificate. */
async function askWith(certificate: { certificate: string; privateKey: string }): Promise<number> {
  const ca = scratchFile('authority.pem');
  writeFileSync(ca, authority.certificate);
  const gate = await startPortcullis({
    env: { NODE_EXTRA_CA_CERTS: ca },
    config: {
      server: { limits: { eventLoopDelay: '5s' } },
      issuers: [
        {
          issuer: 'https://login.example.com',
          audiences: [AUDIENCE],
          jwks: { keys: [testKey('ES256').jwk] },
          introspection: {
            endpoint: `https://localhost:${port}/introspect`,
            clientId: 'gate',
            auth: 'tls_client_auth',
            tls: { cert: certificate.certificate, key: certificate.privateKey },
            timeout: '10s',
          },
        },
      ],
    },
  });
  const client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure());
  clients.push(client);
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 10_000, (error) => (error === undefined ? resolve() : reject(error))),
  );
  return new Promise((resolve) => {
    (client as any).Check(
      checkRequest({ headers: [['authorization', 'Bearer opaque']] }),
      { deadline: Date.now() + 15_000 },
      (error: unknown, answer: CheckAnswer) =>
        resolve(error === null ? (answer.denied_response?.status?.code ?? 200) : 0),
    );
  });
}

test('tls_client_auth shows the certificate, and sends the id of the client and no secret', async () => {
  expect(await askWith(ours)).toBe(200);
  expect(seen).toEqual([
    { client: 'gate', form: expect.stringMatching(/(^|&)client_id=gate(&|$)/), authorization: undefined },
  ]);
  expect(seen[0]?.form).not.toContain('client_secret');
}, 30_000);

test('a certificate that the issuer does not trust is 503, and the token is not sent', async () => {
  seen.length = 0;
  expect(await askWith(createCertificate('gate'))).toBe(503);
  expect(seen).toEqual([]);
}, 30_000);

/** A real `portcullis serve` with `server.transport: lean`, and programs that others wrote to try servers with. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createCertificate } from '../support/certificates.mjs';
import { AuthorizationClient, checkRequest, checkRequestBytes } from '../support/envoy-messages.js';
import { findProgram } from '../support/find-program.mjs';
import { PLAIN_CONFIG } from '../support/gate-stack.js';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { findGoProgram } from '../support/provision-go.mjs';
import { testWith } from '../support/with-go-program.js';
import { inRepository } from '../support/repository.mjs';
import { frame, grpcMessage, HELLO, TYPE } from '../fronts/envoy/http2/wire-frames.js';

const run = promisify(execFile);
const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const h2spec = findGoProgram('h2spec');
const grpcurl = findGoProgram('grpcurl');
const nghttp = findProgram('nghttp');
const h2load = findProgram('h2load');
const only = (program: string | undefined) => (program === undefined ? test.skip : test);

let plain: RunningPortcullis;
let secure: RunningPortcullis;
const authority = createCertificate('authority');

beforeAll(async () => {
  const server = { ...PLAIN_CONFIG.server, transport: 'lean' };
  const leaf = createCertificate('localhost', authority);
  const [cert, key] = [scratchFile('tls.crt'), scratchFile('tls.key')];
  writeFileSync(cert, leaf.certificate);
  writeFileSync(key, leaf.privateKey);
  [plain, secure] = await Promise.all([
    startPortcullis({ config: { ...PLAIN_CONFIG, server }, awaitKeys: true }),
    startPortcullis({
      config: { ...PLAIN_CONFIG, server: { ...server, tls: { cert, key } } },
      awaitKeys: true,
    }),
  ]);
  const waiting = new AuthorizationClient(
    `127.0.0.1:${String(plain.grpcPort)}`,
    credentials.createInsecure(),
  );
  await new Promise<void>((resolve, reject) => {
    waiting.waitForReady(Date.now() + 30_000, (error) => (error ? reject(error) : resolve()));
  });
  waiting.close();
}, 60_000);
afterAll(stopAll);

const body = (): string => {
  const file = scratchFile('check.bin');
  writeFileSync(file, grpcMessage(checkRequestBytes()));
  return file;
};
const GRPC_FIELDS = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];

/** @returns what h2spec says at its end; its output where something failed */
async function summary(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(h2spec!, ['--strict', '-h', '127.0.0.1', '-o', '5', ...args], {
    maxBuffer: 1 << 24,
  }).catch((error: unknown) => error as { stdout: string });
  return /(\d+) tests, .*, 0 skipped, 0 failed/.test(stdout) ? 'all passed' : stdout.slice(-4000);
}

describe('h2spec --strict, with the refusals of the gate as bodies', () => {
  only(h2spec)(
    'all of it on plain text',
    async () => {
      expect(await summary('-p', String(plain.grpcPort))).toBe('all passed');
    },
    120_000,
  );

  only(h2spec)(
    'all of it over TLS',
    async () => {
      expect(await summary('-t', '-k', '-p', String(secure.grpcPort))).toBe('all passed');
    },
    120_000,
  );
});

describe('clients', () => {
  test.each([
    [
      'plain text',
      () => new AuthorizationClient(`127.0.0.1:${String(plain.grpcPort)}`, credentials.createInsecure()),
    ],
    [
      'TLS',
      () =>
        new AuthorizationClient(
          `localhost:${String(secure.grpcPort)}`,
          credentials.createSsl(Buffer.from(authority.certificate)),
        ),
    ],
  ] as const)('grpc-js: %s', async (_, create) => {
    const client = create();
    const answer = await new Promise<{ denied_response?: { status?: { code?: unknown } } }>(
      (resolve, reject) => {
        client.Check!(checkRequest({ path: '/' }), (error: Error | null, value: any) =>
          error ? reject(error) : resolve(value),
        );
      },
    );
    client.close();
    expect(answer.denied_response).toBeDefined();
  });

  testWith('grpcurl', grpcurl)(
    'grpcurl: health of the gate; the list of services fails and does not hang',
    async () => {
      const target = `127.0.0.1:${String(plain.grpcPort)}`;
      const proto = ['-import-path', inRepository('proto'), '-proto', 'health.proto'];
      const { stdout } = await run(grpcurl!, ['-plaintext', ...proto, target, 'grpc.health.v1.Health/Check']);
      expect(JSON.parse(stdout)).toEqual({ status: 'SERVING' });
      const list = run(grpcurl!, ['-plaintext', '-max-time', '10', target, 'list']);
      await expect(list).rejects.toMatchObject({ stderr: expect.stringContaining('reflection') });
    },
    30_000,
  );

  only(nghttp)('nghttp: one call', async () => {
    const url = `http://127.0.0.1:${String(plain.grpcPort)}${CHECK}`;
    const { stdout } = await run(nghttp!, ['-v', '--no-dep', '-d', body(), ...GRPC_FIELDS, url]);
    expect(stdout).toContain(':status: 200');
    expect(stdout).toContain('grpc-status: 0');
  });

  only(h2load)(
    'h2load: 4 connections with 32 streams each',
    async () => {
      const url = `http://127.0.0.1:${String(plain.grpcPort)}${CHECK}`;
      const load = ['-n', '5000', '-c', '4', '-m', '32', '-d', body(), ...GRPC_FIELDS, url];
      const { stdout } = await run(h2load!, load);
      expect(stdout).toContain('5000 succeeded, 0 failed, 0 errored, 0 timeout');
      expect(stdout).toContain('status codes: 5000 2xx');
    },
    60_000,
  );
});

describe('a hostile peer', () => {
  test('is cut and counted, and others are served meanwhile', async () => {
    const socket = connect(plain.grpcPort, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    const ping = frame(TYPE.PING, 0, 0, Buffer.alloc(8));
    socket.write(Buffer.concat([HELLO, ...Array.from({ length: 3000 }, () => ping)]));
    await closed;
    expect(await plain.metrics()).toMatch(/^portcullis_transport_cuts_total\{reason="ping"\} 1$/m);
    expect((await fetch(`${plain.adminUrl}/livez`)).status).toBe(200);
    expect(
      plain
        .log()
        .split('\n')
        .filter((line) => line.includes('"ping"')).length,
    ).toBeLessThanOrEqual(2);
  });
});

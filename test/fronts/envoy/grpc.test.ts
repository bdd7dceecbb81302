import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { createCertificate } from '../../support/certificates.mjs';
import type { CheckCall, CheckHandler } from '../../../src/fronts/envoy/check.js';
import { startGrpcServer, type GrpcServer } from '../../../src/fronts/envoy/grpc.js';
import { startLeanServer } from '../../../src/fronts/envoy/lean-server.js';

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const HEALTH = '/grpc.health.v1.Health/Check';
const NOTHING: Buffer = Buffer.alloc(0);
const same = (bytes: Buffer): Buffer => bytes;

const closers: (() => Promise<void> | void)[] = [];
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-grpc-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(dir, { recursive: true });
});

interface Started {
  readonly server: GrpcServer;
  readonly client: Client;
  readonly calls: CheckCall[];
}

/** Both transports are held to the same. */
const TRANSPORTS = [
  ['grpc-js', startGrpcServer],
  ['lean', startLeanServer],
] as const;

let startServer: typeof startGrpcServer;

async function start(
  answer: CheckHandler['check'],
  over: { address?: string; maxMessageBytes?: number } = {},
): Promise<Started> {
  const calls: CheckCall[] = [];
  const handler: CheckHandler = {
    check: (bytes, call) => {
      calls.push(call);
      return answer(bytes, call);
    },
  };
  const address = over.address ?? '127.0.0.1:0';
  const server = await startServer(handler, {
    address,
    tls: undefined,
    maxMessageBytes: over.maxMessageBytes ?? 1024,
  });
  const client = new Client(
    address.startsWith('unix:') ? address : `127.0.0.1:${server.port}`,
    credentials.createInsecure(),
  );
  closers.push(
    () => server.drain(100),
    () => client.close(),
  );
  return { server, client, calls };
}

interface Outcome {
  readonly bytes?: Buffer | undefined;
  readonly code?: number;
}

function call(
  client: Client,
  path: string,
  { bytes = NOTHING, metadata = new Metadata(), deadline = Date.now() + 5000 } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      same,
      same,
      bytes,
      metadata,
      { deadline },
      (error: ServiceError | null, value) =>
        resolve(error === null ? { bytes: value } : { code: error.code }),
    );
  });
}

const healthRequest = (service: string): Buffer =>
  service === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([10, service.length]), Buffer.from(service)]);

describe.each(TRANSPORTS)('startGrpcServer() on %s', (_name, startOn) => {
  beforeEach(() => {
    startServer = startOn;
  });

  test('hands the bytes to the handler and its answer back, at once or later', async () => {
    const { client } = await start((bytes) =>
      bytes.length === 1 ? bytes : Promise.resolve(Buffer.from('later')),
    );
    expect((await call(client, CHECK, { bytes: Buffer.from('x') })).bytes?.toString()).toBe('x');
    expect((await call(client, CHECK, { bytes: Buffer.from('xy') })).bytes?.toString()).toBe('later');
  });

  test('passes authority, policy metadata and deadline of the call to the handler', async () => {
    const { client, calls } = await start(same);
    const metadata = new Metadata();
    metadata.add('portcullis-policy', 'orders-write');
    const deadline = Date.now() + 3000;
    await call(client, CHECK, { metadata, deadline });
    expect(calls[0]?.policy).toBe('orders-write');
    expect(calls[0]?.authority).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Math.abs(calls[0]!.deadlineMs - deadline)).toBeLessThan(1000);
  });

  test('reads policy metadata that came twice as a name that nobody has', async () => {
    const { client, calls } = await start(same);
    const metadata = new Metadata();
    metadata.add('portcullis-policy', 'a');
    metadata.add('portcullis-policy', 'b');
    await call(client, CHECK, { metadata });
    expect(['', 'a, b']).toContain(calls[0]?.policy);
  });

  test.each([
    ['', '0801'],
    ['envoy.service.auth.v3.Authorization', '0801'],
  ])('health of "%s" is SERVING', async (service, expected) => {
    const { client } = await start(same);
    expect((await call(client, HEALTH, { bytes: healthRequest(service) })).bytes?.toString('hex')).toBe(
      expected,
    );
  });

  test('health of an unknown service is NOT_FOUND, an unknown method UNIMPLEMENTED', async () => {
    const { client } = await start(same);
    expect((await call(client, HEALTH, { bytes: healthRequest('no.such.Service') })).code).toBe(
      status.NOT_FOUND,
    );
    expect((await call(client, '/envoy.service.auth.v3.Authorization/Nope')).code).toBe(status.UNIMPLEMENTED);
  });

  test('takes a message over the limit, so that it can be answered', async () => {
    const { client } = await start((bytes) => Buffer.from(String(bytes.length)), { maxMessageBytes: 1024 });
    for (const length of [1_000_000, 20_000_000]) {
      const answer = await call(client, CHECK, { bytes: Buffer.alloc(length) });
      expect(answer.bytes?.toString()).toBe(String(length));
    }
  });

  test('drain() lets what is in flight end, and takes nothing new', async () => {
    let release = (_bytes: Buffer): void => undefined;
    const waiting = new Promise<Buffer>((resolve) => {
      release = resolve;
    });
    const { client, server, calls } = await start(() => waiting);
    const inFlight = call(client, CHECK);
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const drained = server.drain(5000);
    release(Buffer.from('done'));
    expect((await inFlight).bytes?.toString()).toBe('done');
    await drained;
    expect((await call(client, CHECK, { deadline: Date.now() + 300 })).code).toBeGreaterThan(0);
  });

  test('announceDrain() reports NOT_SERVING while the port goes on taking work', async () => {
    const { client, server } = await start(same);
    server.announceDrain();
    expect((await call(client, HEALTH, { bytes: healthRequest('') })).bytes?.toString('hex')).toBe('0802');
    expect((await call(client, CHECK, { bytes: Buffer.from('x') })).bytes?.toString()).toBe('x');
  });

  test('drain() cuts what does not end in time', async () => {
    const { client, server, calls } = await start(() => new Promise(() => undefined));
    const inFlight = call(client, CHECK, { deadline: Date.now() + 500 });
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await server.drain(1);
    expect((await inFlight).code).toBeGreaterThan(0);
  });

  test('serves on a Unix socket that the group may use, and takes over a stale one', async () => {
    const path = join(dir, 'p.sock');
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(path, resolve));
    // What a killed process leaves: the file without anybody behind it.
    await new Promise<void>((resolve) => {
      stale.close(() => resolve());
    });
    const { client } = await start(same, { address: `unix:${path}` });
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect((await call(client, CHECK, { bytes: Buffer.from('u') })).bytes?.toString()).toBe('u');
  });

  test('refuses a socket that another process serves on, and a taken port', async () => {
    const path = join(dir, 'taken.sock');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    closers.push(() => void other.close());
    await expect(start(same, { address: `unix:${path}` })).rejects.toThrow('another process');
    const { server } = await start(same);
    await expect(start(same, { address: `127.0.0.1:${server.port}` })).rejects.toThrow();
  });
});

describe.each(TRANSPORTS)('GrpcServer.replaceTls() on %s', (_name, startOn) => {
  const material = (name: string) => {
    const { certificate, privateKey } = createCertificate(name);
    return { cert: Buffer.from(certificate), key: Buffer.from(privateKey), clientCa: undefined };
  };
  const handler: CheckHandler = { check: same };

  async function connectTo(port: number): Promise<{ session: ClientHttp2Session; name: unknown }> {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    closers.push(() => session.destroy());
    await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
    const socket = session.socket as unknown as TLSSocket;
    return { session, name: socket.getPeerCertificate().subject.CN };
  }

  function statusOf(session: ClientHttp2Session): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = session.request({
        ':method': 'POST',
        ':path': HEALTH,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      request.once('response', (headers) => resolve(headers[':status']));
      request.once('error', reject);
      request.end(Buffer.from([0, 0, 0, 0, 0]));
    });
  }

  test('new connections get the new certificate, open ones go on, and bad material changes nothing [operators 7]', async () => {
    const server = await startOn(handler, {
      address: '127.0.0.1:0',
      tls: material('first'),
      maxMessageBytes: 1024,
    });
    closers.push(() => server.drain(0));
    const before = await connectTo(server.port);
    server.replaceTls(material('second'));
    const after = await connectTo(server.port);
    expect(() => server.replaceTls({ ...material('third'), cert: Buffer.from('no PEM') })).toThrow();
    const later = await connectTo(server.port);
    expect([before.name, after.name, later.name]).toEqual(['first', 'second', 'second']);
    expect(await statusOf(before.session)).toBe(200);
    expect(await statusOf(after.session)).toBe(200);
  });
});

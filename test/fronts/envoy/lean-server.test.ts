/** What only the lean transport does; what both do is in grpc.test.ts. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createCertificate } from '../../support/certificates.mjs';
import type { CheckHandler } from '../../../src/fronts/envoy/check.js';
import type { CutReason } from '../../../src/fronts/envoy/http2/limits.js';
import { startLeanServer, type LeanServerOptions } from '../../../src/fronts/envoy/lean-server.js';
import { PREFACE, ping, settings } from './http2/wire-peer.js';

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const same = (bytes: Buffer): Buffer => bytes;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(handler: CheckHandler, over: Partial<LeanServerOptions> = {}) {
  const cuts: CutReason[] = [];
  let connections = (): number => NaN;
  const server = await startLeanServer(handler, {
    address: '127.0.0.1:0',
    tls: undefined,
    maxMessageBytes: 1024,
    observer: { cut: (reason) => cuts.push(reason), observe: (read) => (connections = read) },
    ...over,
  });
  closers.push(() => server.drain(100));
  const client = (): Client => {
    const created = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    closers.push(() => created.close());
    return created;
  };
  return { server, client, cuts, connections: () => connections() };
}

function check(
  client: Client,
  bytes: Buffer,
  metadata = new Metadata(),
): Promise<{ bytes?: string; code?: number }> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      CHECK,
      same,
      same,
      bytes,
      metadata,
      { deadline: Date.now() + 5000 },
      (error: ServiceError | null, value) =>
        resolve(error === null ? { bytes: String(value) } : { code: error.code }),
    );
  });
}

async function open(port: number): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  closers.push(() => void socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve).resume());
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, closed };
}

describe('startLeanServer()', () => {
  test.each([
    ['at once', () => Buffer.alloc(0)],
    ['later', () => Promise.resolve(Buffer.alloc(0))],
  ])('an empty answer, %s, which would allow, is never sent', async (_name, answer) => {
    const { client } = await start({ check: answer });
    expect(await check(client(), Buffer.from('x'))).toEqual({ code: 13 });
  });

  test('a message over the limit is answered by the handler, and not held', async () => {
    const seen: number[] = [];
    const { client } = await start({
      check: (bytes) => {
        seen.push(bytes.length);
        return bytes;
      },
      refusal: { maxMessageBytes: () => 10, refuse: (why, call) => Buffer.from(`${why} ${call.policy}`) },
    });
    const metadata = new Metadata();
    metadata.add('portcullis-policy', 'p');
    const one = client();
    expect(await check(one, Buffer.alloc(1_000_000), metadata)).toEqual({ bytes: 'message_too_large p' });
    expect(await check(one, Buffer.from('0123456789'))).toEqual({ bytes: '0123456789' });
    expect(seen).toEqual([10]);
  });

  test('policy metadata that came twice is a name that nobody has', async () => {
    const policies: (string | undefined)[] = [];
    const { client } = await start({
      check: (bytes, { policy }) => {
        policies.push(policy);
        return bytes;
      },
    });
    const metadata = new Metadata();
    metadata.add('portcullis-policy', 'a');
    metadata.add('portcullis-policy', 'b');
    await check(client(), Buffer.from('x'), metadata);
    expect(policies).toEqual(['']);
  });

  test('Watch hears of a change, and ends with the drain', async () => {
    const { client, server } = await start({ check: same });
    const heard: string[] = [];
    const call = client().makeServerStreamRequest(WATCH, same, same, Buffer.alloc(0));
    call.on('data', (bytes: Buffer) => heard.push(bytes.toString('hex')));
    const ended = new Promise((resolve) =>
      call.once('status', ({ code }: { code: number }) => resolve(code)),
    );
    await new Promise((resolve) => call.once('data', resolve));
    server.announceDrain();
    await server.drain(5000);
    expect([heard, await ended]).toEqual([['0801', '0802'], 0]);
  });

  test('connections past the limit are not taken', async () => {
    const { server, cuts, connections } = await start({ check: same }, { limits: { connections: 2 } });
    for (let i = 0; i < 2; i++) await open(server.port);
    while (connections() < 2) await new Promise((resolve) => setImmediate(resolve));
    await (
      await open(server.port)
    ).closed;
    expect(cuts).toEqual(['too_many_connections']);
  });

  test('a peer past a bound is cut, and the others are served', async () => {
    const { server, client, cuts } = await start({ check: same });
    const { socket, closed } = await open(server.port);
    socket.write(Buffer.concat([PREFACE, settings(), ...Array.from({ length: 1100 }, () => ping())]));
    await closed;
    expect(cuts).toEqual(['ping']);
    expect(await check(client(), Buffer.from('x'))).toEqual({ bytes: 'x' });
  });

  test('drain() loses no call of a client that goes on calling', async () => {
    const { server, client } = await start({
      check: (bytes) => new Promise((resolve) => setTimeout(() => resolve(bytes), 5)),
    });
    const one = client();
    const loop = { isDone: false };
    const answers: { bytes?: string; code?: number }[] = [];
    const calling = (async () => {
      for (let turn = 0; !loop.isDone; turn++)
        answers.push(...(await Promise.all([0, 1, 2].map(() => check(one, Buffer.from(`m${turn}`))))));
    })();
    while (answers.length < 30) await new Promise((resolve) => setImmediate(resolve));
    const drained = server.drain(5000);
    const duringDrain = answers.length;
    loop.isDone = true;
    await calling;
    await drained;
    expect(answers.slice(0, duringDrain + 3).every(({ bytes }) => bytes !== undefined)).toBe(true);
  });

  test('TLS: only h2 by ALPN is served, with a certificate that the CA has signed', async () => {
    const { certificate, privateKey } = createCertificate('gate');
    const tls = {
      cert: Buffer.from(certificate),
      key: Buffer.from(privateKey),
      clientCa: Buffer.from(certificate),
    };
    const { server, connections } = await start({ check: same }, { tls });
    const outcome = (options: object): Promise<string> =>
      new Promise((resolve) => {
        const socket = connectTls({
          port: server.port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ...options,
        });
        closers.push(() => void socket.destroy());
        socket.once('data', () => resolve('served'));
        socket.once('error', () => undefined).once('close', () => resolve('closed'));
      });
    const mine = { cert: certificate, key: privateKey };
    expect(await outcome({ ...mine, ALPNProtocols: ['h2'] })).toBe('served');
    expect(connections()).toBe(1);
    expect(await outcome({ ...mine, ALPNProtocols: ['http/1.1'] })).toBe('closed');
    expect(await outcome(mine)).toBe('closed');
    expect(await outcome({ ALPNProtocols: ['h2'] })).toBe('closed');
  });
});

import { request, type RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { OpenAPIHono } from '@hono/zod-openapi';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openHttpPort, openProxyPort, type HttpPort } from '../../src/server/http-port.js';
import { createCertificate } from '../support/certificates.mjs';

const open: HttpPort[] = [];
afterEach(async () => {
  for (const port of open.splice(0)) await port.close();
});

const app = new OpenAPIHono();
app.get('/', (c) => c.text('ok'));

function material(name: string) {
  const { certificate, privateKey } = createCertificate(name);
  return { cert: certificate, key: privateKey, clientCa: undefined };
}

async function start(tls?: ReturnType<typeof material>): Promise<HttpPort> {
  const port = await openHttpPort(app, { address: '127.0.0.1:0', tls });
  open.push(port);
  return port;
}

/** @returns the common name that a new connection is shown */
async function shownName(port: number): Promise<unknown> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

describe('openHttpPort()', () => {
  test('replaceTls() shows new connections the new certificate, and refuses what is not usable', async () => {
    const [first, second] = [material('first'), material('second')];
    const port = await start(first);
    expect(await shownName(port.port)).toBe('first');
    port.replaceTls(second);
    expect(await shownName(port.port)).toBe('second');
    expect(() => port.replaceTls({ ...second, cert: 'not PEM' })).toThrow();
    expect(await shownName(port.port)).toBe('second');
  });

  test('replaceTls() leaves a port in plain text alone', async () => {
    const port = await start();
    port.replaceTls(material('first'));
    expect((await fetch(`http://127.0.0.1:${port.port}/`)).status).toBe(200);
  });

  test('a header beyond 16 KiB is refused', async () => {
    const { port } = await start();
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-long': 'x'.repeat(17_000) } });
    expect(response.status).toBe(431);
  });

  test('close() does not wait for an idle connection', async () => {
    const port = await start();
    const idle = connectTcp(port.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    await port.close();
    open.pop();
    idle.destroy();
  });
});

describe('openProxyPort()', () => {
  const ok = (_: unknown, response: { end(text: string): unknown }) => void response.end('ok');

  test('asks for a certificate of clientCa', async () => {
    const ca = createCertificate('proxy-ca');
    const proxy = createCertificate('proxy', ca);
    const stranger = createCertificate('stranger');
    const port = await openProxyPort(ok, {
      address: '127.0.0.1:0',
      tls: { ...material('gate'), clientCa: ca.certificate },
    });
    open.push(port);
    const ask = (options: RequestOptions): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const at = { host: '127.0.0.1', port: port.port, rejectUnauthorized: false, agent: false as const };
        request({ ...at, ...options }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
    expect(await ask({ cert: proxy.certificate, key: proxy.privateKey })).toBe(200);
    await expect(ask({})).rejects.toThrow();
    await expect(ask({ cert: stranger.certificate, key: stranger.privateKey })).rejects.toThrow();
  });

  test('announceDrain() ends each connection with its next answer', async () => {
    const port = await openProxyPort(ok, { address: '127.0.0.1:0', tls: undefined });
    open.push(port);
    const before = await fetch(`http://127.0.0.1:${port.port}/`);
    expect(before.headers.get('connection')).toBe('keep-alive');
    port.announceDrain();
    const after = await fetch(`http://127.0.0.1:${port.port}/`);
    expect(after.headers.get('connection')).toBe('close');
    await port.drain(1000);
    await expect(fetch(`http://127.0.0.1:${port.port}/`)).rejects.toThrow();
  });
});

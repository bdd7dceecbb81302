import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.js';
import { publicApp } from '../../src/server/public.js';
import type { MountedService } from '../../src/server/mounted-service.js';
import { clientAddressOf } from '../../src/web/client-address.js';

const ECHO = createRoute({
  method: 'post',
  path: '/echo',
  request: { body: { content: { 'application/json': { schema: z.strictObject({ text: z.string() }) } } } },
  responses: {
    200: { description: 'The text', content: { 'application/json': { schema: z.looseObject({}) } } },
  },
});

function echoService(): MountedService {
  const router = new OpenAPIHono();
  router.openapi(ECHO, (c) => c.json({ text: c.req.valid('json').text, address: clientAddressOf(c) }, 200));
  router.get('/fails', () => {
    throw new Error('secret words');
  });
  return { name: 'echo', router, close: () => Promise.resolve() };
}

function app(server: object = {}, jwks: object | undefined = { keys: [] }) {
  const config = { server: { trustedProxies: [], ...server } } as unknown as Config;
  const documents = { jwks: () => jwks, protectedResource: () => undefined };
  return publicApp({ documents, services: [echoService()], config: () => config });
}

const post = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
});

describe('publicApp()', () => {
  test('serves documents, and 404 as JSON for those that are not configured', async () => {
    const response = await app().request('/.well-known/jwks.json');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
    const missing = await app().request('/.well-known/oauth-protected-resource');
    expect([missing.status, await missing.json()]).toEqual([404, { error: 'not_found' }]);
  });

  test('mounts the routers of services', async () => {
    const response = await app().request('/echo', post('{"text":"hello"}'));
    expect(await response.json()).toEqual({ text: 'hello', address: 'unknown' });
  });

  test('/openapi.json describes the documents and the routes of services', async () => {
    const document = (await (await app().request('/openapi.json')).json()) as {
      openapi: string;
      paths: object;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/.well-known/jwks.json', '/.well-known/oauth-protected-resource', '/echo']),
    );
  });

  test.each([
    ['an unknown path', '/nothing', {}, 404, 'not_found'],
    ['a body over 64 KiB', '/echo', post(`{"text":"${'x'.repeat(65_536)}"}`), 413, 'payload_too_large'],
    ['a body that is not JSON', '/echo', post('{'), 400, 'invalid_request'],
    ['an exception', '/fails', {}, 500, 'server_error'],
  ])('answers %s with JSON and without its words', async (_name, path, init, status, error) => {
    const response = await app().request(path, init);
    expect([response.status, await response.json()]).toEqual([status, { error }]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('answers that say nothing else are not cached, framed nor run', async () => {
    const plain = await app().request('/nothing');
    expect(plain.headers.get('cache-control')).toBe('no-store');
    expect(plain.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    const document = await app().request('/.well-known/jwks.json');
    expect(document.headers.get('cache-control')).toBe('public, max-age=300');
  });

  test('sends HSTS under TLS only, and never names its software', async () => {
    const plain = await app().request('/openapi.json');
    const tls = await app({ publicTls: { cert: '', key: '' } }).request('/openapi.json');
    expect(plain.headers.get('strict-transport-security')).toBeNull();
    expect(tls.headers.get('strict-transport-security')).toMatch(/^max-age=\d{7,}/);
    for (const response of [plain, tls])
      for (const name of ['server', 'x-powered-by']) expect(response.headers.get(name)).toBeNull();
  });

  test.each([
    ['none without configuration', {}, 'https://app.example', null],
    [
      'the configured origin',
      { cors: { origins: ['https://app.example'] } },
      'https://app.example',
      'https://app.example',
    ],
    ['no other origin', { cors: { origins: ['https://app.example'] } }, 'https://evil.example', null],
    ['no origin null', { cors: { origins: ['https://app.example'] } }, 'null', null],
  ])('lets pages read answers: %s', async (_name, server, origin, allowed) => {
    const response = await app(server).request('/.well-known/jwks.json', { headers: { origin } });
    expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

import { describe, expect, test } from '@jest/globals';
import { Hono } from 'hono';
import { adminApp, startAdmin, type AdminBackend } from '../../src/server/admin.js';

const CONFIG = { hash: 'abc', loadedAt: '2026-01-01T00:00:00.000Z' };
const PORT = { hosts: () => ['gate.internal'], services: [], config: () => CONFIG };

function backend(over: Partial<AdminBackend> = {}) {
  const calls: unknown[] = [];
  const full: AdminBackend = {
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'portcullis_up 1\n' }),
    readiness: async () => ({ ready: true, lacking: [] }),
    status: async () => ({ issuers: [] }),
    invalidate: async (issuer, drop) => {
      calls.push(['invalidate', issuer, drop]);
      return issuer === 'https://unknown.example'
        ? undefined
        : [{ issuer: 'https://a.example', outcome: 'success' }];
    },
    setLogLevel: async (level) => {
      calls.push(['level', level]);
      return level === 'debug';
    },
    ...over,
  };
  return { app: adminApp(full, PORT), calls, full };
}

const post = (body?: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  ...(body === undefined ? {} : { body }),
});

describe('adminApp()', () => {
  test.each([
    ['/livez', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    ['/status', 200],
    ['/nothing', 404],
    ['/../../etc/passwd', 404],
    ['/jwks/invalidate', 405],
    ['/log-level', 405],
  ])('GET %s answers %d', async (path, status) => {
    expect((await backend().app.request(path)).status).toBe(status);
  });

  test('/readyz is 503 and says which issuers lack keys', async () => {
    const readiness = async () => ({ ready: false, lacking: ['https://down.example'] });
    const response = await backend({ readiness }).app.request('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      ready: false,
      lacking: ['https://down.example'],
      config: CONFIG,
    });
  });

  test('/status and /readyz say which configuration is in force, and why the latest reload failed [operators 11]', async () => {
    const lastReload = {
      outcome: 'failure',
      at: '2026-01-02T00:00:00.000Z',
      problems: ['dpop.mode: …'],
    } as const;
    const config = (): typeof CONFIG & { lastReload: typeof lastReload } => ({ ...CONFIG, lastReload });
    const app = adminApp(backend().full, { ...PORT, config });
    for (const path of ['/status', '/readyz'])
      expect(await (await app.request(path)).json()).toMatchObject({ config: { hash: 'abc', lastReload } });
  });

  test('/metrics has the content type of the registry', async () => {
    const response = await backend().app.request('/metrics');
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
  });

  test.each([
    ['all issuers', '', [undefined, false], 200],
    ['one', '?issuer=https%3A%2F%2Fa.example', ['https://a.example', false], 200],
    ['and forgets the old set', '?drop=true', [undefined, true], 200],
    [
      'not one that is not configured',
      '?issuer=https%3A%2F%2Funknown.example',
      ['https://unknown.example', false],
      404,
    ],
  ])('POST /jwks/invalidate takes %s', async (_name, query, args, status) => {
    const { app, calls } = backend();
    expect((await app.request(`/jwks/invalidate${query}`, post())).status).toBe(status);
    expect(calls).toEqual([['invalidate', ...args]]);
  });

  test.each([
    ['a known level', '{"level":"debug"}', 200],
    ['an unknown level', '{"level":"loud"}', 400],
    ['a number', '{"level":3}', 400],
    ['no JSON', 'level=debug', 400],
    ['nothing', undefined, 400],
    ['too much', `{"level":"${'x'.repeat(70_000)}"}`, 413],
  ])('POST /log-level with %s', async (_name, body, status) => {
    expect((await backend().app.request('/log-level', post(body))).status).toBe(status);
  });

  test.each([
    ['an Origin', { origin: 'https://evil.example' }],
    ['Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
  ])('a browser, known by %s, is refused', async (_name, headers) => {
    const { app, calls } = backend();
    expect(
      (await app.request('/jwks/invalidate?drop=true', post(undefined, headers as Record<string, string>)))
        .status,
    ).toBe(403);
    expect(calls).toEqual([]);
  });

  test.each([
    ['localhost', 200],
    ['LOCALHOST:9192', 200],
    ['127.0.0.1:9192', 200],
    ['[::1]:9192', 200],
    ['10.1.2.3', 200],
    ['gate.internal:9192', 200],
    ['gate.internal.', 200],
    ['rebound.example', 403],
    ['gate.internal.rebound.example', 403],
    ['127.0.0.1.rebound.example', 403],
    ['localhost:9192:1', 403],
    ['0x7f000001', 403],
    ['', 403],
  ])('security 12: a request with Host %p is answered %d on every route', async (host, status) => {
    const { app } = backend();
    for (const path of ['/status', '/metrics', '/readyz', '/livez'])
      expect((await app.request(path, { headers: { host } })).status).toBe(status);
    if (status === 403)
      expect((await app.request('/jwks/invalidate', post(undefined, { host }))).status).toBe(status);
  });

  test('mounts the routes of services, behind the same guards', async () => {
    const adminRouter = new Hono();
    adminRouter.get('/revocations', (c) => c.json({ records: [] }));
    const close = (): Promise<void> => Promise.resolve();
    const app = adminApp(backend().full, { ...PORT, services: [{ name: 'revocation', adminRouter, close }] });
    expect((await app.request('/revocations')).status).toBe(200);
    expect((await app.request('/revocations', { headers: { host: 'rebound.example' } })).status).toBe(403);
  });

  test('an error behind the port is a 500 without its words', async () => {
    const status = async (): Promise<object> => {
      throw new Error('secret words');
    };
    const response = await backend({ status }).app.request('/status');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('startAdmin()', () => {
  test('serves on a free port until it is closed, and refuses a taken one', async () => {
    const { full } = backend();
    const open = await startAdmin(full, { ...PORT, address: '127.0.0.1:0' });
    try {
      expect((await fetch(`http://127.0.0.1:${open.port}/livez`)).status).toBe(200);
      await expect(startAdmin(full, { ...PORT, address: `127.0.0.1:${open.port}` })).rejects.toThrow(
        'EADDRINUSE',
      );
    } finally {
      await open.close();
    }
    await expect(fetch(`http://127.0.0.1:${open.port}/livez`)).rejects.toThrow();
  });
});

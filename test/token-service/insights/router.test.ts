import { describe, expect, test } from '@jest/globals';
import { RecordedRequestError } from '../../../src/fronts/envoy/recorded-request.js';
import {
  createInsightsRouter,
  type InsightsRouterOptions,
} from '../../../src/token-service/insights/router.js';

class Refused extends Error {}

function create(over: Partial<InsightsRouterOptions> = {}) {
  return createInsightsRouter({
    authorize: (c) =>
      c.req.header('authorization') === 'Bearer admin' ? Promise.resolve() : Promise.reject(new Refused()),
    refuse: (c, error) =>
      c.json(
        { error: error instanceof Refused ? 'unauthorized' : 'server_error' },
        error instanceof Refused ? 401 : 500,
      ),
    denials: (limit) => Promise.resolve([{ time: limit, status: 403, reason: 'insufficient_scope' }]),
    keys: () => Promise.resolve([]),
    explain: (request) => Promise.resolve({ explained: request }),
    ...over,
  });
}

const admin = { authorization: 'Bearer admin' };
const post = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body,
  headers: { ...admin, 'content-type': 'application/json', ...headers },
});

describe('createInsightsRouter()', () => {
  test.each([
    ['GET', '/admin/denials'],
    ['GET', '/admin/keys'],
    ['POST', '/admin/explain'],
  ])('%s %s is for administrators alone', async (method, path) => {
    const response = await create().request(path, { method });
    expect(response.status).toBe(401);
  });

  test('GET /admin/denials answers a hundred unless told otherwise, and is not kept by caches', async () => {
    const response = await create().request('/admin/denials', { headers: admin });
    expect(await response.json()).toEqual({
      denials: [{ time: 100, status: 403, reason: 'insufficient_scope' }],
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await (await create().request('/admin/denials?limit=7', { headers: admin })).json()).toMatchObject(
      { denials: [{ time: 7 }] },
    );
  });

  test.each(['0', '-1', '201', '1.5', 'x', '', '1e9'])(
    'GET /admin/denials?limit=%s is refused',
    async (limit) => {
      expect((await create().request(`/admin/denials?limit=${limit}`, { headers: admin })).status).toBe(400);
    },
  );

  test('POST /admin/explain explains', async () => {
    const request = { method: 'GET', url: 'https://api.example.com/' };
    const response = await create().request('/admin/explain', post(JSON.stringify(request)));
    expect(await response.json()).toEqual({ explained: request });
  });

  test.each([
    ['no JSON', post('{'), 400],
    ['another type', post('{}', { 'content-type': 'text/plain' }), 415],
    ['a form', post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 415],
  ])('POST /admin/explain refuses %s', async (_name, init, status) => {
    expect((await create().request('/admin/explain', init)).status).toBe(status);
  });

  test('POST /admin/explain says which member is wrong', async () => {
    const router = create({ explain: () => Promise.reject(new RecordedRequestError('url must be …')) });
    const response = await router.request('/admin/explain', post('{}'));
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'invalid_request', details: 'url must be …' },
    ]);
  });

  test('POST /admin/explain runs one at a time', async () => {
    let finish: (value: object) => void = () => undefined;
    const router = create({ explain: () => new Promise((resolve) => (finish = resolve)) });
    const first = router.request('/admin/explain', post('{}'));
    await new Promise((resolve) => setImmediate(resolve));
    const second = await router.request('/admin/explain', post('{}'));
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
    finish({});
    expect((await first).status).toBe(200);
    const failing = create({ explain: () => Promise.reject(new Error('broken')) });
    for (let turn = 0; turn < 2; turn++) {
      expect((await failing.request('/admin/explain', post('{}'))).status).toBe(500);
    }
  });
});

/** The admin API as the page sees it, over a store in memory: just enough to try the page by itself. */
import { Hono, type Context } from 'hono';
import { systemClock } from '../../../src/ports.js';
import type { TokenPatch, TokenRecord, TokenStore } from '../../../src/token-service/store.js';
import { createMemoryTokenStore } from '../../../src/token-service/stores/memory.js';

/** The one token that the stub takes. */
export const ADMIN_TOKEN = 'pat_bootstrap.for-tests-only';

const NOW_S = Math.floor(Date.now() / 1000);
const DAY_S = 86_400;

/** @returns the API, and the store behind it */
export function createAdminApiStub(): { readonly api: Hono; readonly store: TokenStore } {
  const store = createMemoryTokenStore(systemClock);
  const api = new Hono();
  api.use('/admin/*', async (c, next) => {
    if (/\.(js|css|svg)$|\/admin\/?$/.test(c.req.path)) return next();
    if (c.req.header('authorization') !== `Bearer ${ADMIN_TOKEN}`)
      return c.json({ error: 'invalid_token' }, 401);
    return next();
  });
  const shown = ({ secretPhc: _secretPhc, forgetAt: _forgetAt, ...rest }: TokenRecord): object => rest;
  const done = (c: Context, record: TokenRecord | undefined): Response =>
    record === undefined ? c.json({ error: 'not_found' }, 404) : c.body(null, 204);

  api.get('/admin/tokens', async (c) => {
    const { afterTokenId, limit = '100', includeRevoked, includeExpired, hasRole, owner } = c.req.query();
    const records = await store.list({
      limit: Number(limit),
      includeRevoked: includeRevoked === 'true',
      includeExpired: includeExpired === 'true',
      ...(afterTokenId === undefined ? {} : { afterTokenId }),
      ...(hasRole === undefined ? {} : { hasRole }),
      ...(owner === undefined ? {} : { owner }),
    });
    return c.json({ records: records.map(shown) });
  });
  api.get('/admin/tokens/:id', async (c) => {
    const record = await store.get(c.req.param('id'));
    return record === undefined ? c.json({ error: 'not_found' }, 404) : c.json({ record: shown(record) });
  });
  api.post('/admin/tokens/batch', async (c) => {
    const { tokenIds } = await c.req.json<{ tokenIds: string[] }>();
    return c.json({ found: (await store.getMany(tokenIds)).map(shown), missing: [] });
  });
  api.post('/admin/tokens', async (c) => {
    const body = await c.req.json<Partial<TokenRecord>>();
    const record = {
      roles: [],
      scopes: [],
      isAdmin: false,
      tokenId: `t${crypto.randomUUID().replaceAll('-', '').slice(0, 21)}`,
      owner: '',
      ...body,
      createdAt: NOW_S,
      secretPhc: '$scrypt$',
    };
    if (!(await store.insert(record)))
      return c.json({ error: 'conflict', details: 'this tokenId is taken' }, 409);
    return c.json(
      {
        token: `pat_${record.tokenId}.c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA4x8Zq1`,
        record: shown(record),
      },
      201,
    );
  });
  api.patch('/admin/tokens/:id', async (c) =>
    done(c, await store.update(c.req.param('id'), await c.req.json<TokenPatch>())),
  );
  api.put('/admin/tokens/:id/revoke', async (c) =>
    done(c, await store.revoke(c.req.param('id'), { revokedAt: NOW_S })),
  );
  api.put('/admin/tokens/:id/restore', async (c) => done(c, await store.restore(c.req.param('id'))));
  api.get('/admin/denials', (c) => c.json({ denials: DENIALS }));
  api.get('/admin/keys', (c) => c.json({ issuers: ISSUERS }));
  api.post('/admin/explain', (c) => c.json(EXPLANATION));
  return { api, store };
}

/** Fills the store with what a team might have. */
export async function fillStore(store: TokenStore): Promise<void> {
  const base = {
    isAdmin: false,
    roles: [],
    scopes: [],
    createdAt: NOW_S - 40 * DAY_S,
    secretPhc: '$scrypt$',
  };
  const records: readonly (Partial<TokenRecord> & Pick<TokenRecord, 'tokenId' | 'owner'>)[] = [
    {
      tokenId: '3fQ9cVtYb7KpL2mNxRw8Za',
      owner: 'nightly-export',
      description: 'Writes the orders of the day to the warehouse',
      roles: ['reader'],
      scopes: ['orders:read'],
      expiresAt: NOW_S + 80 * DAY_S,
      lastUsedAt: NOW_S - 3 * 3600,
    },
    {
      tokenId: '5hT2dWzXc9MrQ4nPvSy1Bb',
      owner: 'ann@example.com',
      isAdmin: true,
      roles: ['operator'],
      lastUsedAt: NOW_S - 240,
    },
    {
      tokenId: '8kV6eUaBd1NsR7qTwXz3Cc',
      owner: 'support-agent',
      description: 'Looks up orders in conversations',
      roles: ['reader', 'support'],
      scopes: ['orders:read', 'customers:read'],
      expiresAt: NOW_S + 3 * DAY_S,
      lastUsedAt: NOW_S - 60,
    },
    {
      tokenId: 'Bn4pYsDf6QtU9vWxZa2Ee1',
      owner: 'ci-deploy',
      description: 'Release pipeline',
      roles: ['deploy'],
      scopes: ['releases:write'],
      expiresAt: NOW_S + 300 * DAY_S,
      lastUsedAt: NOW_S - 2 * DAY_S,
    },
    {
      tokenId: 'Dq7rZtGh8SvW1xYaBc5Ff3',
      owner: 'price-sync',
      roles: ['writer'],
      scopes: ['prices:write'],
      createdAt: NOW_S - 400 * DAY_S,
    },
    {
      tokenId: 'Fs9tBuJk2UxY3zAcDe7Gg5',
      owner: 'bob@example.com',
      description: 'Laptop that was lost',
      roles: ['reader'],
      revokedAt: NOW_S - 5 * DAY_S,
      lastUsedAt: NOW_S - 6 * DAY_S,
    },
    {
      tokenId: 'Hu1vDwLm4WzA5bCeFg9Hh7',
      owner: 'load-test',
      roles: ['reader'],
      expiresAt: NOW_S - 12 * DAY_S,
    },
  ];
  for (const record of records) await store.insert({ ...base, ...record });
}

const DENIALS = [
  {
    time: NOW_S - 20,
    reason: 'insufficient_scope',
    status: 403,
    policy: 'orders',
    method: 'POST',
    host: 'api.example.com',
    path: '/orders',
    requirement: 'scopes.all',
    expected: 'orders:write',
    found: 'orders:read',
  },
  {
    time: NOW_S - 95,
    reason: 'expired_token',
    status: 401,
    policy: 'orders',
    method: 'GET',
    host: 'api.example.com',
    path: '/orders/4711',
  },
  {
    time: NOW_S - 400,
    reason: 'keys_unavailable',
    status: 503,
    policy: 'partners',
    method: 'GET',
    host: 'partners.example.com',
    path: '/prices',
  },
  {
    time: NOW_S - 4000,
    reason: 'missing_token',
    status: 401,
    policy: 'default',
    method: 'GET',
    host: 'api.example.com',
    path: '/admin/users',
  },
];

const ISSUERS = [
  {
    issuer: 'https://login.example.com',
    ready: true,
    source: 'network',
    keyCount: 3,
    ageMs: 412_000,
    failures: 0,
    generation: 4,
    skipped: {},
  },
  {
    issuer: 'https://partners.example.net',
    ready: true,
    source: 'network',
    keyCount: 2,
    ageMs: 7_200_000,
    failures: 3,
    lastError: 'timeout: https://partners.example.net/jwks',
    generation: 2,
    skipped: { weak_key: 1 },
  },
  {
    issuer: 'https://gate.example.com',
    ready: true,
    source: 'static',
    keyCount: 2,
    failures: 0,
    generation: 1,
    skipped: {},
  },
];

const EXPLANATION = {
  stages: [
    { stage: 'decode', outcome: 'passed' },
    { stage: 'match-policy', outcome: 'passed' },
    { stage: 'extract-credential', outcome: 'passed' },
    { stage: 'verify-token', outcome: 'passed' },
    { stage: 'check-revocation', outcome: 'passed' },
    { stage: 'authorize', outcome: 'denied: insufficient_scope' },
  ],
  decision: 'deny',
  reason: 'insufficient_scope',
  policy: 'orders',
  why: { requirement: 'scopes', expected: ['orders:write'], found: ['orders:read'] },
  response: {
    http: 403,
    headers: [{ name: 'www-authenticate', value: 'Bearer error="insufficient_scope", scope="orders:write"' }],
    text: '{"error":"insufficient_scope"}',
  },
};

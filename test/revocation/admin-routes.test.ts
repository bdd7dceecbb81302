import { describe, expect, test } from '@jest/globals';
import { createRevocationRoutes, type RevokeAtIssuer } from '../../src/revocation/admin-routes.js';
import { createMemoryRevocationStore } from '../../src/revocation/memory-store.js';
import { createRevocationFactory } from '../../src/revocation/revocation-factory.js';
import { RevocationService } from '../../src/revocation/revocation-service.js';
import type { RevocationStore } from '../../src/revocation/revocation-store.js';
import { RevocationStoreUnavailableError } from '../../src/revocation/revocation-store.js';
import { silentLogger } from '../../src/ports.js';
import { verifiedToken } from '../authz/contexts.js';
import { ISSUER, mintToken, NOW_MS, NOW_S } from '../support/tokens.js';
import { manualEvery } from './revocations.js';

const LIFETIME_S = 3600;
const TOLERANCE_S = 30;

interface Over {
  readonly revokeAtIssuer?: RevokeAtIssuer;
  readonly store?: Partial<RevocationStore>;
  readonly maxEntries?: number;
}

async function setUp(over: Over = {}) {
  const clock = { now: () => NOW_MS };
  const logged: string[] = [];
  const logger = { ...silentLogger, info: (fields: object) => void logged.push(JSON.stringify(fields)) };
  const service = new RevocationService({
    store: { ...createMemoryRevocationStore(), ...over.store },
    clock,
    every: manualEvery().every,
    logger: silentLogger,
    maxEntries: () => over.maxEntries ?? 100,
    metrics: { revoked: () => undefined },
  });
  await service.open();
  let made = 0;
  const app = createRevocationRoutes({
    service,
    factory: createRevocationFactory({
      issuers: () =>
        new Map([[ISSUER, { maxLifetimeMs: LIFETIME_S * 1000, clockToleranceMs: TOLERANCE_S * 1000 }]]),
      clock,
      random: () => String((made += 1)).padStart(6, '0'),
    }),
    revokeAtIssuer: over.revokeAtIssuer ?? (() => Promise.resolve()),
    logger,
  });
  const send = async (method: string, path: string, body?: unknown, type = 'application/json') => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await app.request(path, {
      method,
      headers: { 'content-type': type },
      ...(body === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    return { status: response.status, body: answer === '' ? undefined : JSON.parse(answer), text: answer };
  };
  return { service, send, logged };
}

describe('POST /revocations', () => {
  test.each<[string, object, number]>([
    ['a jti', { issuer: ISSUER, jti: 'j' }, LIFETIME_S + TOLERANCE_S],
    ['a session', { issuer: ISSUER, sid: 's' }, LIFETIME_S + TOLERANCE_S],
    ['a subject', { issuer: ISSUER, sub: 'u', before: NOW_S - 5 }, LIFETIME_S + TOLERANCE_S],
    ['a client', { issuer: ISSUER, clientId: 'c' }, LIFETIME_S + TOLERANCE_S],
    ['a jti for a time', { issuer: ISSUER, jti: 'j', expiresIn: 60, reason: 'stolen' }, 60],
    [
      'a jti for longer than any token lives',
      { issuer: ISSUER, jti: 'j', expiresIn: 1e9 },
      LIFETIME_S + TOLERANCE_S,
    ],
    ['an opaque token', { token: 'opaque' }, LIFETIME_S + TOLERANCE_S],
    ['a JWT', { token: mintToken({ claims: { exp: NOW_S + 77 } }) }, 77],
    ['a JWT for a shorter time', { token: mintToken({ claims: { exp: NOW_S + 77 } }), expiresIn: 7 }, 7],
    [
      'a JWT that never ends by itself',
      { token: mintToken({ claims: { exp: 'x' } }) },
      LIFETIME_S + TOLERANCE_S,
    ],
  ])('takes %s', async (_, body, endsInS) => {
    const { send } = await setUp();
    const { status, body: answer } = await send('POST', '/revocations', body);
    expect(status).toBe(201);
    expect(answer).toEqual({ id: expect.any(String), expiresAt: NOW_S + endsInS });
  });

  test.each<[string, unknown]>([
    ['no body', undefined],
    ['no JSON', '{'],
    ['a list', []],
    ['no target', { issuer: ISSUER }],
    ['two targets', { issuer: ISSUER, jti: 'j', sub: 'u' }],
    ['no issuer', { jti: 'j' }],
    ['an issuer that is not configured', { issuer: 'https://other.example', jti: 'j' }],
    ['an issuer beside a token', { issuer: ISSUER, token: 't' }],
    ['a jti that is a number', { issuer: ISSUER, jti: 5 }],
    ['an empty subject', { issuer: ISSUER, sub: '' }],
    ['an empty token', { token: '' }],
    ['before with a jti', { issuer: ISSUER, jti: 'j', before: 1 }],
    ['before as text', { issuer: ISSUER, sub: 'u', before: 'now' }],
    ['expiresIn of nothing', { issuer: ISSUER, jti: 'j', expiresIn: 0 }],
    ['expiresIn with a fraction', { issuer: ISSUER, jti: 'j', expiresIn: 1.5 }],
    ['an unknown member', { issuer: ISSUER, jti: 'j', x: 1 }],
    ['a reason with a line break', { issuer: ISSUER, jti: 'j', reason: 'a\nb' }],
  ])('refuses %s', async (_, body) => {
    const { send, service } = await setUp();
    const { status, body: answer } = await send('POST', '/revocations', body);
    expect([status, answer.error, service.size]).toEqual([400, 'invalid_request', 0]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', '', 'application/jsonx'])(
    'refuses a body of type "%s"',
    async (type) => {
      const { send, service } = await setUp();
      const body = { issuer: ISSUER, jti: 'j', token: 't' };
      expect((await send('POST', '/revocations', body, type)).status).toBe(415);
      expect((await send('POST', '/revoke', { token: 't' }, type)).status).toBe(415);
      expect(service.size).toBe(0);
    },
  );

  test('holds a JWT beyond its exp for the tolerance that it would still be given', async () => {
    const { send, service } = await setUp();
    const token = mintToken({ claims: { exp: NOW_S + 10 } });
    await send('POST', '/revocations', { token });
    const verified = verifiedToken({ issuer: ISSUER });
    expect(service.list.isRevoked(verified, token, (NOW_S + 10 + TOLERANCE_S) * 1000 - 1)).toBe(true);
    expect(service.list.isRevoked(verified, token, (NOW_S + 10 + TOLERANCE_S) * 1000)).toBe(false);
  });

  test('answers 507 when it is full, and 503 while the store is away', async () => {
    const full = await setUp({ maxEntries: 1 });
    await full.send('POST', '/revocations', { issuer: ISSUER, jti: 'a' });
    expect((await full.send('POST', '/revocations', { issuer: ISSUER, jti: 'b' })).status).toBe(507);
    const add = () => Promise.reject(new RevocationStoreUnavailableError('away'));
    const away = await setUp({ store: { add } });
    expect((await away.send('POST', '/revocations', { issuer: ISSUER, jti: 'b' })).status).toBe(503);
  });
});

describe('GET and DELETE /revocations', () => {
  test('lists oldest first in parts, and never a token', async () => {
    const { send, logged } = await setUp();
    const token = mintToken();
    await send('POST', '/revocations', { token, reason: 'leaked' });
    await send('POST', '/revocations', { issuer: ISSUER, sub: 'u' });
    const { body: first } = await send('GET', '/revocations?limit=1');
    expect(first.records).toMatchObject([{ issuer: ISSUER, reason: 'leaked', source: 'admin' }]);
    const { body: rest, text } = await send('GET', `/revocations?limit=9&after=${first.records[0].id}`);
    expect(rest.records).toMatchObject([{ issuer: ISSUER, sub: 'u', before: NOW_S, createdAt: NOW_S }]);
    for (const part of token.split('.')) {
      expect(JSON.stringify(first) + text).not.toContain(part);
      expect(logged.join()).not.toContain(part);
    }
  });

  test.each(['limit=0', 'limit=1001', 'limit=x', 'limit=-1', 'other=1', 'limit='])(
    'refuses ?%s',
    async (query) => {
      const { send } = await setUp();
      expect((await send('GET', `/revocations?${query}`)).status).toBe(400);
    },
  );

  test('takes one back once', async () => {
    const { send } = await setUp();
    const { body } = await send('POST', '/revocations', { issuer: ISSUER, jti: 'j' });
    expect((await send('DELETE', `/revocations/${body.id}`)).status).toBe(204);
    expect((await send('DELETE', `/revocations/${body.id}`)).status).toBe(404);
    expect((await send('DELETE', '/revocations/nonsense')).status).toBe(404);
    expect((await send('PUT', '/revocations')).status).toBe(405);
  });
});

describe('POST /revoke', () => {
  test('revokes here, and then at the issuer', async () => {
    const calls: unknown[] = [];
    const { send, service } = await setUp({
      revokeAtIssuer: (...call) => {
        calls.push([...call, service.size]);
        return Promise.resolve();
      },
    });
    const answer = await send('POST', '/revoke', { token: 'opaque', tokenTypeHint: 'access_token' });
    expect(answer.status).toBe(200);
    expect(calls).toEqual([['opaque', 'access_token', 1]]);
  });

  test('answers 502 when the issuer failed, and it counts here', async () => {
    const { send, service } = await setUp({ revokeAtIssuer: () => Promise.reject(new Error('500')) });
    const { status, text } = await send('POST', '/revoke', { token: 'opaque' });
    expect([status, service.size]).toEqual([502, 1]);
    expect(text).not.toContain('opaque');
  });

  test.each([undefined, {}, { token: 5 }, { token: 't', tokenTypeHint: 'x' }, { token: 't', x: 1 }])(
    'refuses %j',
    async (body) => {
      const { send } = await setUp();
      expect((await send('POST', '/revoke', body)).status).toBe(400);
    },
  );
});

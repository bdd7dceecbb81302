import { beforeEach, describe, expect, test } from '@jest/globals';
import { recallRevocations } from '../../src/token-service/issued-revocations.js';
import { NOW_S, openService, patOf, PHC, type OpenedService } from './service-fixture.js';

let service: OpenedService;
beforeEach(async () => {
  service = await openService();
});

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

describe('createAdminRouter()', () => {
  test('issue: the secret is shown once, and works', async () => {
    const { status, body } = await service.call('POST', '/admin/tokens', {
      owner: 'ops',
      roles: ['a', 'a'],
      scopes: ['x'],
      description: 'd',
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.stringMatching(/^pat_[A-Za-z0-9]{22}\.[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/),
      record: {
        tokenId: expect.any(String),
        owner: 'ops',
        isAdmin: false,
        roles: ['a'],
        scopes: ['x'],
        createdAt: NOW_S,
        description: 'd',
      },
    });
    expect((await service.post('/oauth/token', { client_secret: body.token })).status).toBe(200);
    const shown = await service.call('GET', `/admin/tokens/${body.record.tokenId}`);
    expect(shown.body.record).toMatchObject({ owner: 'ops', lastUsedAt: NOW_S });
    expect(JSON.stringify(service.lines)).not.toContain(body.token.slice(-40));
  });

  test('who may: an admin token, a JWT of one; nobody else, and no bound token', async () => {
    await service.add('plain');
    await service.add('boss', { isAdmin: true });
    const jwtOf = async (id: string) =>
      (await service.post('/oauth/token', { client_secret: patOf(id) })).body.access_token as string;
    const as = async (text: string) =>
      (await service.call('GET', '/admin/tokens', undefined, bearer(text))).status;
    const boss = await jwtOf('boss');
    expect(await as(patOf('boss'))).toBe(200);
    expect(await as(boss)).toBe(200);
    expect(await as(await jwtOf('bootstrap'))).toBe(200);
    expect(await as(patOf('plain'))).toBe(403);
    expect(await as(await jwtOf('plain'))).toBe(403);
    expect(await as(patOf('nobody'))).toBe(401);
    expect(await as('x')).toBe(401);
    const missing = await service.app.request('/admin/tokens');
    expect(missing.status).toBe(401);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer');
    // Who is no administrator any more is none at once, whatever the JWT says.
    await service.call('PATCH', '/admin/tokens/boss', { isAdmin: false });
    expect(await as(boss)).toBe(403);
    await service.call('PUT', '/admin/tokens/boss/revoke');
    expect(await as(boss)).toBe(401);
  });

  test('register: new, the same again, another', async () => {
    const body = { secretPhc: PHC, owner: 'o', roles: ['r'] };
    expect((await service.call('PUT', '/admin/tokens/mine', body)).status).toBe(201);
    expect((await service.call('PUT', '/admin/tokens/mine', body)).status).toBe(200);
    expect((await service.call('PUT', '/admin/tokens/mine', { ...body, owner: 'p' })).status).toBe(409);
    expect((await service.post('/oauth/token', { client_secret: patOf('mine') })).status).toBe(200);
  });

  test('update: lists as a whole, added to and removed from; expiry to never', async () => {
    await service.add('t', { roles: ['a'], expiresAt: NOW_S + 100_000, description: 'd' });
    const change = async (body: object) => (await service.call('PATCH', '/admin/tokens/t', body)).status;
    const record = async () => (await service.call('GET', '/admin/tokens/t')).body.record;
    expect(await change({ roles: { add: ['b'] }, expiresAt: null, description: null })).toBe(204);
    expect(await record()).toEqual({
      tokenId: 't',
      owner: 'ops',
      isAdmin: false,
      roles: ['a', 'b'],
      scopes: [],
      createdAt: 1,
    });
    expect(await change({ roles: { remove: ['a'] } })).toBe(204);
    expect(await change({ scopes: ['x', 'y'] })).toBe(204);
    expect(await record()).toMatchObject({ roles: ['b'], scopes: ['x', 'y'] });
  });

  test('list: by id, in pages, filtered; no hash unless asked for', async () => {
    await service.add('a', { owner: 'x' });
    await service.add('b', { roles: ['r'] });
    await service.add('c');
    await service.call('PUT', '/admin/tokens/c/revoke');
    const ids = async (query: string) =>
      (await service.call('GET', `/admin/tokens${query}`)).body.records.map((one: any) => one.tokenId);
    expect(await ids('')).toEqual(['a', 'b']);
    expect(await ids('?limit=1')).toEqual(['a']);
    expect(await ids('?afterTokenId=a')).toEqual(['b']);
    expect(await ids('?hasRole=r')).toEqual(['b']);
    expect(await ids('?owner=x')).toEqual(['a']);
    expect(await ids('?includeRevoked=true')).toEqual(['a', 'b', 'c']);
    expect((await service.call('GET', '/admin/tokens')).text).not.toContain('scrypt');
    expect((await service.call('GET', '/admin/tokens?includeSecretPhc=true')).body.records[0].secretPhc).toBe(
      PHC,
    );
  });

  test('batch', async () => {
    await service.add('a');
    const { body } = await service.call('POST', '/admin/tokens/batch', { tokenIds: ['b', 'a', 'a'] });
    expect(body).toEqual({ found: [expect.objectContaining({ tokenId: 'a' })], missing: ['b'] });
  });

  test('revoke and restore: idempotent; what was issued before stays refused, what is issued after is not', async () => {
    await service.add('t');
    const token = async () =>
      (await service.post('/oauth/token', { client_secret: patOf('t') })).body.access_token;
    const isActive = async (text: string) =>
      (await service.post('/oauth/introspect', { token: text }, bearer(patOf('bootstrap')))).body.active;
    const before = await token();
    expect(await isActive(before)).toBe(true);
    for (let i = 0; i < 2; i++)
      expect((await service.call('PUT', '/admin/tokens/t/revoke')).status).toBe(204);
    expect(await isActive(before)).toBe(false);
    expect(await isActive(patOf('t'))).toBe(false);
    expect((await service.call('PUT', '/admin/tokens/t/restore')).status).toBe(204);
    expect(await isActive(before)).toBe(false);
    expect(await isActive(await token())).toBe(true);
    expect(service.waits).toEqual([500]);
  });

  test('a new secret ends what the old one was exchanged for', async () => {
    await service.add('t');
    const { body } = await service.post('/oauth/token', { client_secret: patOf('t') });
    await service.call('PATCH', '/admin/tokens/t', { secretPhc: PHC.replace('ln=14', 'ln=15') });
    const answer = await service.post(
      '/oauth/introspect',
      { token: body.access_token },
      bearer(patOf('bootstrap')),
    );
    expect(answer.body).toEqual({ active: false });
  });

  test.each<[name: string, method: string, path: string, body: unknown, status: number]>([
    ['an unknown member', 'POST', '/admin/tokens', { owner: 'o', admin: true }, 400],
    ['no owner', 'POST', '/admin/tokens', {}, 400],
    ['a control character', 'POST', '/admin/tokens', { owner: 'a\nb' }, 400],
    ['a bad id', 'POST', '/admin/tokens', { owner: 'o', tokenId: 'a b' }, 400],
    ['a scope with a blank', 'POST', '/admin/tokens', { owner: 'o', scopes: ['a b'] }, 400],
    ['a time that has passed', 'POST', '/admin/tokens', { owner: 'o', expiresAt: NOW_S }, 400],
    ['a fraction of time', 'POST', '/admin/tokens', { owner: 'o', expiresAt: 1.5 }, 400],
    ['a member twice', 'POST', '/admin/tokens', '{"owner":"o","owner":"p"}', 400],
    ['no JSON', 'POST', '/admin/tokens', '{', 400],
    ['a taken id', 'POST', '/admin/tokens', { owner: 'o', tokenId: 't' }, 409],
    ['bootstrap', 'POST', '/admin/tokens', { owner: 'o', tokenId: 'bootstrap' }, 409],
    ['a change of bootstrap', 'PATCH', '/admin/tokens/bootstrap', { owner: 'o' }, 409],
    ['a revocation of bootstrap', 'PUT', '/admin/tokens/bootstrap/revoke', undefined, 409],
    ['add and remove together', 'PATCH', '/admin/tokens/t', { roles: { add: ['a'], remove: ['b'] } }, 400],
    ['a cheap hash', 'PUT', '/admin/tokens/x', { owner: 'o', secretPhc: PHC.replace('ln=14', 'ln=13') }, 400],
    ['no hash', 'PUT', '/admin/tokens/x', { owner: 'o' }, 400],
    ['a change of nobody', 'PATCH', '/admin/tokens/nobody', { owner: 'o' }, 404],
    ['a revocation of nobody', 'PUT', '/admin/tokens/nobody/revoke', undefined, 404],
    ['a restore of nobody', 'PUT', '/admin/tokens/nobody/restore', undefined, 404],
    ['nobody', 'GET', '/admin/tokens/nobody', undefined, 404],
    ['a limit of 0', 'GET', '/admin/tokens?limit=0', undefined, 400],
    ['a limit of 1001', 'GET', '/admin/tokens?limit=1001', undefined, 400],
    ['an unknown parameter', 'GET', '/admin/tokens?x=1', undefined, 400],
    ['a repeated parameter', 'GET', '/admin/tokens?limit=1&limit=2', undefined, 400],
    [
      'a large batch',
      'POST',
      '/admin/tokens/batch',
      { tokenIds: Array.from({ length: 101 }, (_, i) => `t${i}`) },
      400,
    ],
  ])('refuses %s', async (_name, method, path, body, status) => {
    await service.add('t');
    const answer = await service.call(method, path, body);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status,
      body: { error: expect.any(String), details: expect.any(String) },
    });
  });

  test('another content type is 415', async () => {
    const answer = await service.call('POST', '/admin/tokens', 'owner=o', { 'content-type': 'text/plain' });
    expect(answer.status).toBe(415);
    expect(answer.body).toEqual({ error: 'unsupported_media_type', details: expect.any(String) });
  });

  test('a client has its name for itself', async () => {
    const answer = await service.call('POST', '/admin/tokens', { owner: 'o', tokenId: 'deployer' });
    expect(answer.status).toBe(201);
    const trusting = await openService({
      grants: ['jwt_bearer'],
      trust: [{ issuer: 'https://login.example.com', subject: 's', client: 'deployer' }],
    });
    expect((await trusting.call('POST', '/admin/tokens', { owner: 'o', tokenId: 'deployer' })).status).toBe(
      409,
    );
  });

  test('each change is one audit line and is counted; no secret in it', async () => {
    await service.call('POST', '/admin/tokens', { owner: 'o', tokenId: 't' });
    await service.call('POST', '/admin/tokens', { owner: 'o', tokenId: 't' });
    await service.call('GET', '/admin/tokens', undefined, bearer(patOf('nobody')));
    expect(service.lines.filter((line: any) => line.event === 'audit')).toEqual([
      {
        event: 'audit',
        action: 'issue',
        outcome: 'ok',
        by: 'bootstrap',
        tokenId: 't',
        status: 201,
        address: 'unknown',
      },
      expect.objectContaining({ action: 'issue', outcome: 'refused', status: 409 }),
      expect.objectContaining({ action: 'list', outcome: 'denied', status: 401, by: undefined }),
    ]);
    expect(service.counted).toEqual(['issue ok', 'issue refused', 'list denied']);
  });
});

describe('recallRevocations()', () => {
  test('what was revoked within a day', async () => {
    await service.add('old');
    await service.store.revoke('old', { revokedAt: NOW_S - 90_000 });
    await service.add('new');
    await service.store.revoke('new', { revokedAt: NOW_S - 10 });
    await service.add('live');
    const made: unknown[] = [];
    await recallRevocations(service.store, { revokeClient: async (...args) => void made.push(args) }, NOW_S);
    expect(made).toEqual([['new', NOW_S - 10]]);
  });
});

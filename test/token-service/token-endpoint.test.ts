import { beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose';
import { GATE, NOW_S, openService, patOf, type OpenedService } from './service-fixture.js';

let service: OpenedService;
beforeAll(async () => {
  service = await openService({ grants: ['client_credentials'] });
  await service.add('robot', {
    owner: 'ops@example.com',
    roles: ['writer'],
    scopes: ['orders:read', 'orders:write'],
  });
  await service.add('plain');
  await service.add('boss', { isAdmin: true });
  await service.add('short', { expiresAt: NOW_S + 100 });
  await service.add('expired', { expiresAt: NOW_S });
  await service.add('revoked');
  await service.store.revoke('revoked', { revokedAt: NOW_S });
});

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('createTokenRouter() client_credentials', () => {
  test.each<
    [name: string, path: string, body: Record<string, string> | string, headers: Record<string, string>]
  >([
    [
      'client_secret in a form',
      '/oauth/token',
      { grant_type: 'client_credentials', client_secret: patOf('robot') },
      {},
    ],
    ['without grant_type', '/auth/token', { client_secret: patOf('robot'), client_id: 'whatever' }, {}],
    [
      'JSON',
      '/auth/token',
      JSON.stringify({ client_secret: patOf('robot') }),
      { 'content-type': 'application/json' },
    ],
    ['Basic without user', '/oauth/token', {}, basic(`:${patOf('robot')}`)],
    ['Basic with any user', '/oauth/token', {}, basic(`x:${patOf('robot')}`)],
    [
      'Basic, form-encoded',
      '/oauth/token',
      {},
      basic(`x:${patOf('robot').replace('_', '%5F').replace('.', '%2E')}`),
    ],
    ['Bearer', '/oauth/token', {}, { authorization: `bearer ${patOf('robot')}` }],
    [
      'no body and no content type',
      '/oauth/token',
      '',
      { authorization: `Bearer ${patOf('robot')}`, 'content-type': '' },
    ],
  ])('%s', async (_name, path, body, headers) => {
    const answer = await service.post(path, body, headers);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'orders:read orders:write',
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('the token is an RFC 9068 access token of ours', async () => {
    const { body } = await service.post('/oauth/token', { client_secret: patOf('robot') });
    const { payload, protectedHeader } = await jwtVerify(
      body.access_token,
      createLocalJWKSet({ keys: service.signing.public_keys } as unknown as JSONWebKeySet),
      { currentDate: new Date(NOW_S * 1000) },
    );
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: 'sig' });
    expect(payload).toEqual({
      iss: GATE,
      sub: 'robot',
      aud: 'https://api.example.com',
      client_id: 'robot',
      iat: NOW_S,
      exp: NOW_S + 3600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'orders:read orders:write',
      owner: 'ops@example.com',
      roles: ['writer'],
    });
  });

  test('scope narrows, state is echoed', async () => {
    const { body } = await service.post('/oauth/token', {
      client_secret: patOf('robot'),
      scope: 'orders:read',
      state: 'a&b"c',
    });
    expect(body).toMatchObject({ scope: 'orders:read', state: 'a&b"c' });
    expect(decodeJwt(body.access_token)).toMatchObject({ scope: 'orders:read' });
  });

  test('an administrator is one in the token, nobody else is', async () => {
    const claimsOf = async (id: string) =>
      decodeJwt((await service.post('/oauth/token', { client_secret: patOf(id) })).body.access_token);
    expect(await claimsOf('boss')).toMatchObject({ admin: true });
    expect(await claimsOf('bootstrap')).toMatchObject({ admin: true, sub: 'bootstrap' });
    expect(await claimsOf('plain')).not.toHaveProperty('admin');
    expect(await claimsOf('plain')).not.toHaveProperty('scope');
  });

  test('never outlives the personal access token', async () => {
    const { body } = await service.post('/oauth/token', { client_secret: patOf('short') });
    expect(body.expires_in).toBe(100);
  });

  const secret = patOf('robot');
  test.each<
    [
      name: string,
      body: Record<string, string> | string,
      headers: Record<string, string>,
      status: number,
      error: string,
    ]
  >([
    ['an unknown token', { client_secret: patOf('nobody') }, {}, 401, 'invalid_client'],
    ['a wrong secret', { client_secret: patOf('robot', 'W'.repeat(43)) }, {}, 401, 'invalid_client'],
    ['a revoked token', { client_secret: patOf('revoked') }, {}, 401, 'invalid_client'],
    ['an expired token', { client_secret: patOf('expired') }, {}, 401, 'invalid_client'],
    ['a malformed token', { client_secret: 'pat_x' }, {}, 401, 'invalid_client'],
    ['nothing', {}, {}, 401, 'invalid_client'],
    ['an empty secret', { client_secret: '' }, {}, 401, 'invalid_client'],
    ['another scheme', {}, { authorization: 'Digest x' }, 401, 'invalid_client'],
    ['Basic that is none', {}, { authorization: 'Basic !' }, 401, 'invalid_client'],
    ['two ways', { client_secret: secret }, basic(`:${secret}`), 400, 'invalid_request'],
    [
      'two ways, Bearer',
      { client_secret: secret },
      { authorization: `Bearer ${secret}` },
      400,
      'invalid_request',
    ],
    ['a repeated parameter', `client_secret=${secret}&scope=a&scope=b`, {}, 400, 'invalid_request'],
    ['a repeated secret', `client_secret=${secret}&client_secret=${secret}`, {}, 400, 'invalid_request'],
    [
      'another content type',
      `client_secret=${secret}`,
      { 'content-type': 'text/plain' },
      400,
      'invalid_request',
    ],
    ['multipart', 'x', { 'content-type': 'multipart/form-data; boundary=x' }, 400, 'invalid_request'],
    ['no content type', `client_secret=${secret}`, { 'content-type': '' }, 400, 'invalid_request'],
    ['JSON that is none', '{', { 'content-type': 'application/json' }, 400, 'invalid_request'],
    ['a JSON list', '[]', { 'content-type': 'application/json' }, 400, 'invalid_request'],
    [
      'a JSON member twice',
      '{"scope":"a","scope":"b"}',
      { 'content-type': 'application/json' },
      400,
      'invalid_request',
    ],
    ['a JSON number', '{"client_secret":1}', { 'content-type': 'application/json' }, 400, 'invalid_request'],
    ['a scope beyond', { client_secret: secret, scope: 'orders:read admin' }, {}, 400, 'invalid_scope'],
    ['a malformed scope', { client_secret: secret, scope: 'orders:read  x' }, {}, 400, 'invalid_scope'],
    [
      'a grant that is off',
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
      {},
      400,
      'unsupported_grant_type',
    ],
    [
      'an unknown grant',
      { grant_type: 'password', client_secret: secret },
      {},
      400,
      'unsupported_grant_type',
    ],
    ['a long state', { client_secret: secret, state: 'x'.repeat(2000) }, {}, 400, 'invalid_request'],
  ])('refuses %s', async (_name, body, headers, status, error) => {
    const answer = await service.post('/oauth/token', body, headers);
    expect({ status: answer.status, error: answer.body.error }).toEqual({ status, error });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text).not.toContain('S'.repeat(43));
  });

  test('the same answer for every reason, with a challenge where Basic was used', async () => {
    const texts = [patOf('nobody'), patOf('robot', 'W'.repeat(43)), patOf('revoked'), patOf('expired')];
    const answers = await Promise.all(
      texts.map((text) => service.post('/oauth/token', {}, basic(`:${text}`))),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    for (const { headers } of answers) expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    const other = await service.post('/oauth/token', { client_secret: patOf('nobody') });
    expect(other.headers.get('www-authenticate')).toBeNull();
  });

  test('GET is not found', async () => {
    expect((await service.call('GET', '/oauth/token')).status).toBe(404);
  });

  test('counts by grant and outcome', () => {
    expect(service.counted).toContain('client_credentials issued');
    expect(service.counted).toContain('client_credentials invalid_client');
    expect(service.counted).toContain('unknown unsupported_grant_type');
  });
});

describe('createTokenRouter() limits', () => {
  test('429 with Retry-After, for this id only', async () => {
    const limited = await openService({ limits: { failures: 2, window: '1m' } });
    await limited.add('robot');
    await limited.add('other');
    const wrong = { client_secret: patOf('robot', 'W'.repeat(43)) };
    for (let i = 0; i < 2; i++) expect((await limited.post('/oauth/token', wrong)).status).toBe(401);
    const refused = await limited.post('/oauth/token', { client_secret: patOf('robot') });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect((await limited.post('/oauth/token', { client_secret: patOf('other') })).status).toBe(200);
  });
});

describe('createTokenRouter() sealed tokens', () => {
  test('say nothing to others, and are introspected', async () => {
    const sealed = await openService({
      format: 'sealed',
      sealing: { secrets: ['0123456789abcdefghijklmnopqrstuv'] },
    });
    await sealed.add('robot', { scopes: ['a'] });
    const { body } = await sealed.post('/oauth/token', { client_secret: patOf('robot') });
    expect(body.access_token).toMatch(/^pst_[A-Za-z0-9_-]+$/);
    const answer = await sealed.post(
      '/oauth/introspect',
      { token: body.access_token },
      basic(`:${patOf('bootstrap')}`),
    );
    expect(answer.body).toMatchObject({ active: true, sub: 'robot', scope: 'a', exp: NOW_S + 3600 });
  });
});

describe('createMetadataRouter()', () => {
  test.each(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    '%s',
    async (path) => {
      const { body, status } = await service.call('GET', path);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        issuer: GATE,
        token_endpoint: `${GATE}/oauth/token`,
        revocation_endpoint: `${GATE}/oauth/revoke`,
        introspection_endpoint: `${GATE}/oauth/introspect`,
        jwks_uri: `${GATE}/.well-known/jwks.json`,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      });
    },
  );

  test('an issuer with a path', async () => {
    const tenant = await openService({ issuer: `${GATE}/tenant` });
    const { status, body } = await tenant.call('GET', '/.well-known/oauth-authorization-server/tenant');
    expect({ status, endpoint: body.token_endpoint }).toEqual({
      status: 200,
      endpoint: `${GATE}/tenant/oauth/token`,
    });
    expect((await tenant.call('GET', '/.well-known/oauth-authorization-server/other')).status).toBe(404);
  });
});

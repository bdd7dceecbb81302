import { beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt, SignJWT } from 'jose';
import {
  GATE,
  keyPair,
  LOGIN,
  login,
  NOW_S,
  openService,
  patOf,
  robot,
  type OpenedService,
} from './service-fixture.js';

const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
let count = 0;

describe('createJwtBearerGrant() clients', () => {
  let service: OpenedService;
  beforeEach(async () => {
    service = await openService({ grants: ['jwt_bearer'], clients: { dir: './clients' } });
  });
  const good = () => ({
    iss: 'robot@example.com',
    sub: 'robot@example.com',
    aud: GATE,
    iat: NOW_S,
    exp: NOW_S + 60,
    jti: `jti-${count++}`,
  });
  const ask = (assertion: string, more: Record<string, string> = {}) =>
    service.post('/oauth/token', { grant_type: BEARER, assertion, ...more });

  test('a token of the client, with its scopes and session parameters', async () => {
    const { status, body } = await ask(await robot.sign(good()));
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'orders:read orders:write' });
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: 'robot@example.com',
      client_id: 'robot@example.com',
      session: { tenant: 'acme' },
    });
  });

  test.each([GATE, `${GATE}/oauth/token`, `${GATE}/auth/token`])('aud %s', async (aud) => {
    expect((await ask(await robot.sign({ ...good(), aud }))).status).toBe(200);
  });

  test('narrows the scope', async () => {
    expect((await ask(await robot.sign(good()), { scope: 'orders:read' })).body.scope).toBe('orders:read');
    expect((await ask(await robot.sign(good()), { scope: 'admin' })).body.error).toBe('invalid_scope');
  });

  test('each once', async () => {
    const assertion = await robot.sign(good());
    expect((await ask(assertion)).status).toBe(200);
    expect((await ask(assertion)).body.error).toBe('invalid_grant');
  });

  test('a refused request does not spend the assertion', async () => {
    const assertion = await robot.sign(good());
    expect((await ask(assertion, { scope: 'admin' })).body.error).toBe('invalid_scope');
    expect((await ask(assertion)).status).toBe(200);
  });

  const mallory = keyPair('robot');
  test.each<[name: string, make: () => Promise<string>]>([
    ['another key', () => mallory.sign(good())],
    ['an unknown client', () => robot.sign({ ...good(), iss: 'nobody' })],
    ['another audience', () => robot.sign({ ...good(), aud: 'https://other.example.com' })],
    ['another sub', () => robot.sign({ ...good(), sub: 'alice' })],
    ['no sub', () => robot.sign({ ...good(), sub: undefined })],
    ['no exp', () => robot.sign({ ...good(), exp: undefined })],
    ['an exp more than an hour away', () => robot.sign({ ...good(), exp: NOW_S + 3700 })],
    ['an expired one', () => robot.sign({ ...good(), exp: NOW_S - 60 })],
    ['one that is not valid yet', () => robot.sign({ ...good(), nbf: NOW_S + 120 })],
    ['one from the future', () => robot.sign({ ...good(), iat: NOW_S + 120 })],
    ['no jti', () => robot.sign({ ...good(), jti: undefined })],
    ['an access token', () => robot.sign(good(), { typ: 'at+jwt' })],
    ['a DPoP proof', () => robot.sign(good(), { typ: 'dpop+jwt' })],
    [
      'a critical extension',
      async () => `${Buffer.from('{"alg":"EdDSA","crit":["x"]}').toString('base64url')}.e30.AA`,
    ],
    [
      'alg none',
      async () =>
        `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(good())).toString('base64url')}.AA`,
    ],
    [
      'HMAC with the public key',
      () =>
        new SignJWT(good()).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(JSON.stringify(robot.jwk))),
    ],
    ['no JWT', async () => 'x'],
  ])('refuses %s', async (_name, make) => {
    const { status, body } = await ask(await make());
    expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_grant' });
  });

  test('refuses a client that has the name of a token', async () => {
    await service.add('robot@example.com');
    expect((await ask(await robot.sign(good()))).body.error).toBe('invalid_grant');
  });

  test('needs an assertion; a client that authenticates must do so rightly', async () => {
    expect((await service.post('/oauth/token', { grant_type: BEARER })).body.error).toBe('invalid_request');
    const answer = await ask(await robot.sign(good()), { client_secret: patOf('nobody') });
    expect(answer.body.error).toBe('invalid_client');
  });
});

describe('createTrustRules()', () => {
  const open = (rule: object) =>
    openService({
      grants: ['jwt_bearer'],
      trust: [{ issuer: LOGIN, client: 'deployer', scopes: ['a', 'b'], ...rule }],
    });
  const good = () => ({
    iss: LOGIN,
    sub: 'repo:acme/app:main',
    aud: GATE,
    exp: NOW_S + 300,
    jti: `t${count++}`,
  });
  const ask = async (service: OpenedService, claims: object, header: object = {}) =>
    service.post('/oauth/token', { grant_type: BEARER, assertion: await login.sign(claims, header) });

  test('workload: by subject pattern and claims; no longer than its ttl', async () => {
    const service = await open({
      subject: 'repo:acme/*',
      claims: { env: ['prod', 'test'] },
      roles: ['r'],
      ttl: '5m',
    });
    const claims = { ...good(), env: 'prod' };
    const { status, body } = await ask(service, claims);
    expect({ status, scope: body.scope, ttl: body.expires_in }).toEqual({
      status: 200,
      scope: 'a b',
      ttl: 300,
    });
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: 'deployer',
      client_id: 'deployer',
      roles: ['r'],
    });
  });

  test.each<[name: string, rule: object, change: object, again: number]>([
    ['counts once', {}, {}, 400],
    ['may come again where the rule says so', { reusable: true }, {}, 200],
    ['may come again without a jti', {}, { jti: undefined }, 200],
  ])('workload: one that %s', async (_name, rule, change, again) => {
    const service = await open({ subject: 'repo:acme/*', ...rule });
    const claims = { ...good(), ...change };
    expect((await ask(service, claims)).status).toBe(200);
    expect((await ask(service, claims)).status).toBe(again);
  });

  test('workload: refuses a jti that is no text', async () => {
    const service = await open({ subject: 'repo:acme/*' });
    expect((await ask(service, { ...good(), jti: 7 })).body.error).toBe('invalid_grant');
  });

  test.each<[name: string, change: object, header: object]>([
    ['another subject', { sub: 'repo:acme-evil/app' }, {}],
    ['a claim of another value', { env: 'dev' }, {}],
    ['a claim that is missing', { env: undefined }, {}],
    ['another audience', { aud: 'https://other.example.com' }, {}],
    ['another issuer', { iss: 'https://evil.example.com' }, {}],
    ['an identity assertion', {}, { typ: 'oauth-id-jag+jwt' }],
    ['an access token', {}, { typ: 'at+jwt' }],
    ['an expired one', { exp: NOW_S - 60 }, {}],
  ])('workload: refuses %s', async (_name, change, header) => {
    const service = await open({ subject: 'repo:acme/*', claims: { env: 'prod' } });
    expect((await ask(service, { ...good(), env: 'prod', ...change }, header)).body.error).toBe(
      'invalid_grant',
    );
  });

  test('workload: refuses another key', async () => {
    const service = await open({ subject: 'repo:acme/*' });
    const assertion = await keyPair('login').sign(good());
    expect((await service.post('/oauth/token', { grant_type: BEARER, assertion })).body.error).toBe(
      'invalid_grant',
    );
  });

  const jag = { typ: 'oauth-id-jag+jwt' };
  test('id-jag: once, for its client, with no more than it says', async () => {
    const service = await open({ profile: 'id-jag' });
    const claims = { ...good(), sub: 'alice', client_id: 'deployer', scope: 'b c' };
    const { body, status } = await ask(service, claims, jag);
    expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'b' });
    expect(decodeJwt(body.access_token)).toMatchObject({ session: { iss: LOGIN, sub: 'alice' } });
    expect((await ask(service, claims, jag)).body.error).toBe('invalid_grant');
    expect((await ask(service, { ...good(), client_id: 'other' }, jag)).body.error).toBe('invalid_grant');
    expect((await ask(service, { ...good(), jti: undefined }, jag)).body.error).toBe('invalid_grant');
    expect((await ask(service, good())).body.error).toBe('invalid_grant');
  });
});

describe('createTokenExchangeGrant()', () => {
  let service: OpenedService;
  beforeEach(async () => {
    service = await openService({
      grants: ['token_exchange', 'client_credentials'],
      exchange: { issuers: [LOGIN, GATE], scopes: ['a', 'b'], ttl: '5m' },
    });
    await service.add('agent', { scopes: ['b', 'c', 'a'], isAdmin: true, roles: ['r'] });
  });
  const user = (more: object = {}) =>
    login.sign({ iss: LOGIN, sub: 'alice', aud: GATE, iat: NOW_S, exp: NOW_S + 200, scope: 'a c', ...more });
  const ask = (more: Record<string, string>) =>
    service.post('/oauth/token', {
      grant_type: EXCHANGE,
      client_secret: patOf('agent'),
      subject_token_type: ACCESS,
      ...more,
    });

  test('the subject, for the client, with the scope that all have, no longer than the subject token', async () => {
    const { status, body } = await ask({ subject_token: await user() });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { issued_token_type: ACCESS, token_type: 'Bearer', scope: 'a', expires_in: 200 },
    });
    const claims = decodeJwt(body.access_token);
    expect(claims).toMatchObject({ iss: GATE, sub: 'alice', client_id: 'agent' });
    // What the client is, the subject is not.
    for (const name of ['admin', 'roles', 'owner', 'act']) expect(claims).not.toHaveProperty(name);
  });

  test('the actor is named, in front of those before', async () => {
    const actor = await login.sign({ iss: LOGIN, sub: 'bot', aud: GATE, iat: NOW_S, exp: NOW_S + 100 });
    const { body } = await ask({
      subject_token: await user({ act: { sub: 'earlier' } }),
      actor_token: actor,
      actor_token_type: ACCESS,
    });
    expect(body.expires_in).toBe(100);
    expect(decodeJwt(body.access_token).act).toEqual({ sub: 'bot', iss: LOGIN, act: { sub: 'earlier' } });
  });

  test('may_act: this party and no other', async () => {
    const allowed = await ask({ subject_token: await user({ may_act: { sub: 'agent', iss: GATE } }) });
    expect(allowed.status).toBe(200);
    const refused = await ask({ subject_token: await user({ may_act: { sub: 'other' } }) });
    expect(refused.body.error).toBe('invalid_request');
  });

  test.each<[name: string, more: () => Promise<Record<string, string>>, error: string]>([
    ['no subject token', async () => ({ subject_token_type: '' }), 'invalid_request'],
    ['no type', async () => ({ subject_token: await user(), subject_token_type: '' }), 'invalid_request'],
    [
      'another type',
      async () => ({
        subject_token: await user(),
        subject_token_type: 'urn:ietf:params:oauth:token-type:saml2',
      }),
      'invalid_request',
    ],
    [
      'an actor type without actor',
      async () => ({ subject_token: await user(), actor_token_type: ACCESS }),
      'invalid_request',
    ],
    [
      'an expired subject',
      async () => ({ subject_token: await user({ exp: NOW_S - 60 }) }),
      'invalid_request',
    ],
    [
      'a foreign subject',
      async () => ({
        subject_token: await keyPair('login').sign({ iss: LOGIN, sub: 'a', aud: GATE, exp: NOW_S + 9 }),
      }),
      'invalid_request',
    ],
    ['a subject for others', async () => ({ subject_token: await user({ aud: 'x' }) }), 'invalid_request'],
    [
      'a bound subject without proof',
      async () => ({ subject_token: await user({ cnf: { jkt: 'A'.repeat(43) } }) }),
      'invalid_request',
    ],
    ['an ID token', async () => ({ subject_token: await user({ nonce: 'n' }) }), 'invalid_request'],
    [
      'a bad actor',
      async () => ({ subject_token: await user(), actor_token: 'x', actor_token_type: ACCESS }),
      'invalid_request',
    ],
    [
      'a long chain',
      async () => ({ subject_token: await user({ act: { act: { act: { act: { act: {} } } } } }) }),
      'invalid_request',
    ],
    [
      'another audience',
      async () => ({ subject_token: await user(), audience: 'https://other.example.com' }),
      'invalid_target',
    ],
    [
      'a scope that the subject lacks',
      async () => ({ subject_token: await user(), scope: 'b' }),
      'invalid_scope',
    ],
    [
      'a scope beyond exchange.scopes',
      async () => ({ subject_token: await user(), scope: 'c' }),
      'invalid_scope',
    ],
    [
      'another type of result',
      async () => ({
        subject_token: await user(),
        requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      }),
      'invalid_request',
    ],
    [
      'an unknown client',
      async () => ({ subject_token: await user(), client_secret: patOf('nobody') }),
      'invalid_client',
    ],
  ])('refuses %s', async (_name, more, error) => {
    expect((await ask(await more())).body.error).toBe(error);
  });

  test('a revoked token of ours is no subject', async () => {
    await service.add('u', { scopes: ['a'] });
    const own = (await service.post('/oauth/token', { client_secret: patOf('u') })).body.access_token;
    expect((await ask({ subject_token: own })).status).toBe(200);
    await service.call('PUT', '/admin/tokens/u/revoke');
    expect((await ask({ subject_token: own })).body.error).toBe('invalid_request');
  });
});

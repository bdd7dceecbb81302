import { describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { IntrospectionUnavailableError, type IntrospectionAnswer } from '../../src/introspection/types.js';
import { createRevocationId } from '../../src/revocation/revocation.js';
import { GATE, LOGIN, login, NOW_S, openService, patOf, type OpenedService } from './service-fixture.js';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';

/** A service whose one foreign issuer is asked about tokens, and how often it was. */
async function open(introspection: object, tokens: object = {}) {
  const asked: string[] = [];
  const service = await openService(
    {
      grants: ['token_exchange', 'client_credentials'],
      exchange: { issuers: [LOGIN], scopes: ['a', 'b'] },
      ...tokens,
    },
    {
      issuers: [
        {
          issuer: LOGIN,
          audiences: [GATE],
          jwks: { keys: [login.jwk] },
          introspection: {
            endpoint: `${LOGIN}/introspect`,
            clientId: 'gate',
            clientSecret: 's',
            ...introspection,
          },
        },
      ],
    },
  );
  await service.add('agent', { scopes: ['a', 'b'] });
  const answer = (said: object | undefined): void => {
    service.issuer.introspect = ({ token }) => {
      asked.push(token);
      if (said === undefined) return Promise.reject(new IntrospectionUnavailableError(LOGIN, 'timeout', 2));
      return Promise.resolve(said as IntrospectionAnswer);
    };
  };
  return { service, asked, answer };
}

const active = (claims: object = {}) => ({
  active: true,
  text: JSON.stringify({ active: true, aud: GATE, ...claims }),
  untilMs: NOW_S * 1000 + 30_000,
});
const INACTIVE = { active: false, untilMs: NOW_S * 1000 + 5000 };

const user = (more: object = {}) =>
  login.sign({ iss: LOGIN, sub: 'alice', aud: GATE, iat: NOW_S, exp: NOW_S + 200, scope: 'a', ...more });

const exchange = (service: OpenedService, more: Record<string, string>) =>
  service.post('/oauth/token', {
    grant_type: EXCHANGE,
    client_secret: patOf('agent'),
    subject_token_type: `${TYPE}access_token`,
    ...more,
  });

describe('createExchangeableTokens() introspection', () => {
  test('always: a JWT is asked about before it is exchanged', async () => {
    const { service, asked, answer } = await open({ always: true });
    const token = await user();
    answer(active({ sub: 'alice' }));
    expect((await exchange(service, { subject_token: token })).status).toBe(200);
    expect(asked).toEqual([token]);
  });

  test.each<[name: string, said: object | undefined, status: number, error: string]>([
    ['is not active any more', INACTIVE, 400, 'invalid_request'],
    ['belongs to somebody else by the answer', active({ sub: 'bob' }), 400, 'invalid_request'],
    ['is of another issuer by the answer', active({ iss: 'https://x.example' }), 400, 'invalid_request'],
    ['has ended by the answer', active({ exp: NOW_S - 60 }), 400, 'invalid_request'],
    ['cannot be asked about', undefined, 503, 'temporarily_unavailable'],
  ])('always: a JWT that %s is not exchanged', async (_, said, status, error) => {
    const { service, answer } = await open({ always: true });
    answer(said);
    const result = await exchange(service, { subject_token: await user() });
    expect([result.status, result.body.error]).toEqual([status, error]);
    expect(result.headers.get('retry-after')).toBe(said === undefined ? '2' : null);
  });

  test('always: an actor is asked about too', async () => {
    const { service, answer } = await open({ always: true });
    const [subject, actor] = [await user(), await user({ sub: 'bot' })];
    answer(active());
    service.issuer.introspect = ({ token }) =>
      Promise.resolve((token === actor ? INACTIVE : active()) as IntrospectionAnswer);
    const result = await exchange(service, {
      subject_token: subject,
      actor_token: actor,
      actor_token_type: `${TYPE}access_token`,
    });
    expect(result.body.error).toBe('invalid_request');
  });

  test('without always a JWT is asked of nobody', async () => {
    const { service, asked } = await open({});
    expect((await exchange(service, { subject_token: await user() })).status).toBe(200);
    expect(asked).toEqual([]);
  });

  test('nobody is asked before the client is known, nor about a JWT that is wrong by itself', async () => {
    const { service, asked, answer } = await open({ always: true });
    answer(active());
    await exchange(service, { subject_token: await user(), client_secret: patOf('nobody') });
    await exchange(service, { subject_token: await user({ exp: NOW_S - 60 }) });
    await exchange(service, { subject_token: await user({ aud: 'x' }) });
    expect(asked).toEqual([]);
  });

  test('an opaque token is exchanged for what its issuer says of it, and ends with the answer', async () => {
    const { service, answer } = await open({ cacheTtl: '20s' });
    answer(active({ sub: 'alice', scope: 'a b c' }));
    const { status, body } = await exchange(service, { subject_token: 'opaque' });
    expect({ status, scope: body.scope, ttl: body.expires_in }).toEqual({
      status: 200,
      scope: 'a b',
      ttl: 20,
    });
    expect(decodeJwt(body.access_token).sub).toBe('alice');
    answer(active({ sub: 'alice', exp: NOW_S + 7 }));
    expect((await exchange(service, { subject_token: 'opaque' })).body.expires_in).toBe(7);
  });

  test('an opaque token is no JWT', async () => {
    const { service, asked, answer } = await open({});
    answer(active({ sub: 'alice' }));
    const result = await exchange(service, { subject_token: 'opaque', subject_token_type: `${TYPE}jwt` });
    expect([result.body.error, asked]).toEqual(['invalid_request', []]);
  });

  test('an opaque token of ours is shown to no other issuer', async () => {
    const { service, asked, answer } = await open(
      {},
      { format: 'sealed', sealing: { secrets: ['abcdefghijklmnopqrstuvwxyz0123456789ABCD'] } },
    );
    answer(active({ sub: 'alice' }));
    const sealed = (await service.post('/oauth/token', { client_secret: patOf('agent') })).body.access_token;
    for (const subject_token of [sealed, patOf('agent')])
      expect((await exchange(service, { subject_token })).body.error).toBe('invalid_request');
    expect(asked).toEqual([]);
  });

  test('a token that was revoked here is not exchanged', async () => {
    const { service } = await open({});
    const token = await user({ sid: 's' });
    await service.revocation.revoke({
      id: createRevocationId(NOW_S * 1000, 'r'),
      issuer: LOGIN,
      kind: 'sid',
      value: 's',
      expiresAtS: NOW_S + 1000,
      heldUntilS: NOW_S + 1000,
      createdAtMs: NOW_S * 1000,
      source: 'admin',
    });
    expect((await exchange(service, { subject_token: token })).body.error).toBe('invalid_request');
  });

  test.each([
    ['deny', 503],
    ['allow', 200],
  ])('where revocations may have been missed for too long, %s decides', async (onUnavailable, status) => {
    const { service } = await open({});
    const tokens = await openService(
      { grants: ['token_exchange'], exchange: { issuers: [LOGIN], scopes: ['a'] } },
      { revocation: { onUnavailable, maxStale: '10s' } },
    );
    await tokens.add('agent', { scopes: ['a'] });
    tokens.revocation.list.staleSinceMs = NOW_S * 1000 - 11_000;
    expect((await exchange(tokens, { subject_token: await user() })).status).toBe(status);
    expect((await exchange(service, { subject_token: await user() })).status).toBe(200);
  });
});

/** What adapters do beyond one decision: several on one request, what a handler sees, nonces, forms of errors. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createGate, type Gate, type ProtectOptions } from '../../src/index.js';
import { ADAPTERS, type AdapterServer, type Echo, type StartAdapter } from '../support/adapter-servers.js';
import { boundToken, liveConfig, liveProof, liveToken } from '../support/live-tokens.js';
import { askRaw, type RawQuestion } from '../support/raw-http.js';

const HOST = 'api.example.com';
const question = (over: Partial<RawQuestion> = {}): RawQuestion => ({
  method: 'GET',
  target: '/orders',
  host: HOST,
  headers: [],
  ...over,
});

describe.each(Object.entries(ADAPTERS))('portcullis/%s', (name, start: StartAdapter) => {
  let gate: Gate;
  const servers: AdapterServer[] = [];
  const serve = async (...options: ProtectOptions[]): Promise<number> => {
    const server = await start(gate, ...options);
    servers.push(server);
    return server.port;
  };

  beforeAll(async () => {
    const credentials = [{ header: 'authorization' }, { query: 'access_token' }];
    const identity = { headers: { 'x-user-id': 'sub' } };
    const nonce = { mode: 'required', secrets: ['s'.repeat(40)] };
    gate = await createGate(liveConfig({ credentials, identity, dpop: { nonce } }));
  });
  afterAll(async () => {
    for (const server of servers) await server.close();
    await gate.close();
  });

  test('a spoofed identity, in every spelling, is not what a handler sees', async () => {
    const port = await serve({ optional: true });
    const spoofs = [
      ['X-User-Id', 'root'],
      ['x_user_id', 'root'],
    ] as const;
    const nobody = JSON.parse((await askRaw(port, question({ headers: spoofs }))).body) as Echo;
    expect(nobody.subject).toBeUndefined();
    expect(JSON.stringify(nobody)).not.toContain('root');
    const headers = [...spoofs, ['authorization', `Bearer ${liveToken({ sub: 'alice' })}`]] as const;
    const alice = JSON.parse((await askRaw(port, question({ headers }))).body) as Echo;
    expect([alice.subject, alice.headers['x-user-id']]).toEqual(['alice', 'alice']);
    expect(alice.headers).not.toHaveProperty('authorization');
  });

  test('a DPoP proof needs a nonce, serves several checks of one request, and no second request', async () => {
    const port = await serve(...(name === 'next' ? [{}] : [{}, { senderConstraint: 'dpop' as const }]));
    const token = boundToken({ sub: 'alice' });
    const ask = (claims: Record<string, unknown>) => {
      const proof = liveProof(token, `https://${HOST}/orders`, claims);
      const headers = [
        ['authorization', `DPoP ${token}`],
        ['dpop', proof],
      ] as const;
      return () => askRaw(port, question({ headers }));
    };
    const first = await ask({})();
    const [nonce] = first.headers.get('dpop-nonce') ?? [];
    expect([first.status, typeof nonce]).toEqual([401, 'string']);
    const send = ask({ nonce });
    expect(JSON.parse((await send()).body)).toMatchObject({ subject: 'alice' });
    const again = await send();
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')?.join()).toContain('invalid_dpop_proof');
  });

  test('a token in the query reaches no handler, and every check of one request finds it', async () => {
    const port = await serve(...(name === 'next' ? [{}] : [{}, { scopes: 'orders:read' }]));
    const token = liveToken({ sub: 'alice', scope: 'orders:read' });
    const answer = await askRaw(port, question({ target: `/orders?a=1&access_token=${token}&b=2` }));
    const { subject, url } = JSON.parse(answer.body) as Echo;
    expect(subject).toBe('alice');
    expect(url).toMatch(/\/orders\?a=1&b=2$/);
  });

  test.each<[ProtectOptions['errors'], string, string]>([
    ['oauth', 'application/json', 'error'],
    ['problem', 'application/problem+json', 'title'],
    ['scim', 'application/scim+json', 'schemas'],
  ])('errors: %s', async (errors, type, member) => {
    const answer = await askRaw(await serve({ errors }), question());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')?.[0]).toMatch(new RegExp(`^${type.replace('+', '\\+')}`));
    expect(JSON.parse(answer.body)).toHaveProperty(member);
    expect(answer.headers.get('www-authenticate')?.join()).toMatch(/Bearer realm.*DPoP algs/);
    expect(answer.headers.get('cache-control')).toEqual(['no-store']);
  });

  test('an absolute target with a host of its own is refused or judged as what is served', async () => {
    const port = await serve({});
    const answer = await askRaw(port, question({ target: `http://evil.example.com/orders` }));
    expect([400, 401]).toContain(answer.status);
  });

  test('headers of proxies do not choose the host', async () => {
    const port = await serve({});
    const token = boundToken();
    const headers = [
      ['x-forwarded-host', 'evil.example.com'],
      ['forwarded', 'host=evil.example.com'],
      ['authorization', `DPoP ${token}`],
      ['dpop', liveProof(token, 'https://evil.example.com/orders')],
    ] as const;
    const answer = await askRaw(port, question({ headers }));
    expect([answer.status, answer.body.includes('for another target')]).toEqual([401, true]);
  });
});

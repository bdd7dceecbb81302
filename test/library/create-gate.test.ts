import { afterEach, describe, expect, test } from '@jest/globals';
import { createGate, type Gate, type GateRequest, type ProtectOptions } from '../../src/index.js';
import { boundToken, liveConfig, liveProof, liveToken } from '../support/live-tokens.js';
import { ISSUER } from '../support/tokens.js';

const gates: Gate[] = [];

async function gateOf(over: object = {}, env: Record<string, string> = {}): Promise<Gate> {
  const gate = await createGate(liveConfig(over as never), { env });
  gates.push(gate);
  return gate;
}

afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.close();
});

function request(token?: string, over: Partial<GateRequest> = {}): GateRequest {
  const headers: [string, string][] = token === undefined ? [] : [['Authorization', `Bearer ${token}`]];
  return { method: 'GET', target: '/orders', host: 'api.example.com', headers, ...over };
}

const codeOf = async (gate: Gate, asked: GateRequest, options?: ProtectOptions): Promise<string> => {
  const decision = await gate.decide(asked, options);
  return decision.allowed ? 'allowed' : decision.code;
};

describe('createGate()', () => {
  test('decides with what a handler needs to know', async () => {
    const gate = await gateOf({ identity: { headers: { 'x-user-id': 'sub' } } });
    const decision = await gate.decide(request(liveToken({ sub: 'alice', scope: 'a b' })));
    expect(decision).toMatchObject({
      allowed: true,
      policy: 'default',
      auth: { subject: 'alice', scopes: ['a', 'b'], clientId: 'client-1' },
      setHeaders: [['x-user-id', 'alice']],
      responseHeaders: [],
      isProofSpent: false,
    });
    expect(decision.allowed && decision.removeHeaders).toContain('authorization');
  });

  test('refuses with an answer that can be sent as it is', async () => {
    const gate = await gateOf();
    const decision = await gate.decide(request());
    expect(decision).toMatchObject({ allowed: false, code: 'missing_credential', status: 401 });
    if (decision.allowed) return;
    expect(decision.headers).toContainEqual(['content-type', 'application/json']);
    expect(JSON.parse(decision.body ?? '')).toMatchObject({
      error: 'unauthorized',
      decision_id: decision.decisionId,
    });
  });

  test('reports every problem of the configuration, and no value', async () => {
    const broken = {
      issuers: [{ issuer: 'not a url', audiences: [] }],
      polices: {},
      log: { level: new Date() },
    };
    const error = await createGate(broken as never).catch((reason: unknown) => reason as Error);
    expect((error as Error).message.split('\n').map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['issuers[0].issuer', 'issuers[0].audiences', 'polices', 'log.level']),
    );
    expect((error as Error).message).not.toContain('not a url');
  });

  test('ends on a configuration that holds itself', async () => {
    const config = liveConfig();
    config.policies = { a: config };
    await expect(createGate(config as never)).rejects.toThrow('does it hold itself?');
  });

  test('takes no key from a prototype', async () => {
    const config = Object.assign(
      Object.create(null) as object,
      JSON.parse('{"__proto__":{"access":"anonymous"}}'),
    );
    await expect(createGate(liveConfig({ policies: { default: config } }) as never)).rejects.toThrow(
      '__proto__',
    );
  });

  test('fills in references from the environment that it is given', async () => {
    const secrets = { DPOP_SECRET: 's'.repeat(40) };
    const nonce = { mode: 'required', secrets: ['${env:DPOP_SECRET}'] };
    const gate = await gateOf({ dpop: { mode: 'optional', nonce } }, secrets);
    const token = boundToken();
    const headers: [string, string][] = [
      ['authorization', `DPoP ${token}`],
      ['dpop', liveProof(token, 'https://api.example.com/orders')],
    ];
    const decision = await gate.decide(request(undefined, { headers }));
    expect(decision).toMatchObject({ allowed: false, code: 'dpop_nonce_required' });
    await expect(gateOf({ dpop: { nonce } })).rejects.toThrow('DPOP_SECRET is not set');
  });

  test('two gates share nothing', async () => {
    const [one, two] = [
      await gateOf(),
      await gateOf({ policies: { default: { scopes: { all: ['admin'] } } } }),
    ];
    const token = liveToken();
    expect([await codeOf(one, request(token)), await codeOf(two, request(token))]).toEqual([
      'allowed',
      'insufficient_scope',
    ]);
    const [text, other] = [await one.metrics().metrics(), await two.metrics().metrics()];
    expect(text).toContain('portcullis_checks_total{decision="allow",reason="allowed",policy="default"} 1');
    expect(other).not.toContain('reason="allowed"');
    expect(text).not.toContain('process_cpu');
    await one.close();
    expect(await codeOf(one, request(token))).toBe('overloaded');
    expect(await codeOf(two, request(liveToken({ scope: 'admin' })))).toBe('allowed');
  });

  test('claims that a handler changes are not those of the next request', async () => {
    const gate = await gateOf();
    const token = liveToken({ roles: ['reader'] });
    for (let round = 0; round < 3; round++) {
      const decision = await gate.decide(request(token));
      const claims = (decision.allowed ? decision.auth?.claims : undefined) as { roles: string[] };
      expect(() => claims.roles.push('admin')).toThrow(TypeError);
      expect(await codeOf(gate, request(token), { roles: 'admin' })).toBe('insufficient_role');
    }
  });

  test.each<[string, Partial<GateRequest>, string]>([
    [
      'a proof that came twice',
      {
        headers: [
          ['dpop', 'a'],
          ['dpop', 'b'],
        ],
      },
      'missing_credential',
    ],
    ['no method', { method: '' }, 'malformed_request'],
    ['headers that are none', { headers: 7 as never }, 'internal_error'],
  ])('denies %s', async (_name, over, code) => {
    expect(await codeOf(await gateOf(), request(undefined, over))).toBe(code);
  });
});

describe('decide() with options', () => {
  const scoped = { scope: 'orders:read', roles: ['staff'] };
  test.each<[string, ProtectOptions, Record<string, unknown> | undefined, string]>([
    ['a scope that is there', { scopes: 'orders:read' }, scoped, 'allowed'],
    ['one of two scopes', { scopes: ['orders:read', 'admin'] }, scoped, 'insufficient_scope'],
    ['any of two scopes', { scopes: { any: ['orders:read', 'admin'] } }, scoped, 'allowed'],
    ['a role', { roles: 'staff' }, scoped, 'allowed'],
    ['a role that is missing', { roles: ['staff', 'admin'] }, scoped, 'insufficient_role'],
    ['a role of another claim', { roles: { all: ['x'], claims: ['groups'] } }, { groups: ['x'] }, 'allowed'],
    ['optional, without a token', { optional: true }, undefined, 'allowed'],
    ['optional, with a good one', { optional: true, scopes: 'admin' }, scoped, 'insufficient_scope'],
    ['an unbound token', { senderConstraint: 'dpop' }, scoped, 'sender_constraint_required'],
    ['a named policy', { policy: 'admin' }, scoped, 'insufficient_scope'],
    ['a named policy and a scope', { policy: 'open', scopes: 'orders:read' }, scoped, 'allowed'],
    ['a demand upon an anonymous policy', { policy: 'open', scopes: 'x' }, undefined, 'missing_credential'],
    ['an anonymous policy', { policy: 'open' }, undefined, 'allowed'],
    ['optional upon an anonymous policy', { policy: 'open', optional: true }, undefined, 'allowed'],
  ])('%s', async (_name, options, claims, expected) => {
    const policies = { admin: { scopes: { all: ['admin'] } }, open: { access: 'anonymous' } };
    const gate = await gateOf({ policies });
    const token = claims === undefined ? undefined : liveToken(claims);
    expect(await codeOf(gate, request(token), options)).toBe(expected);
  });

  test('they add to what a policy asks for', async () => {
    const gate = await gateOf({ policies: { default: { scopes: { all: ['a'] } } } });
    expect(await codeOf(gate, request(liveToken({ scope: 'b' })), { scopes: 'b' })).toBe(
      'insufficient_scope',
    );
    expect(await codeOf(gate, request(liveToken({ scope: 'a b' })), { scopes: 'b' })).toBe('allowed');
    const decision = await gate.decide(request(), { scopes: 'b' });
    expect(decision).toMatchObject({
      headers: expect.arrayContaining([
        ['www-authenticate', expect.stringContaining('Bearer realm="portcullis"')],
      ]),
    });
  });

  test.each<[ProtectOptions['errors'], string]>([
    ['oauth', 'application/json'],
    ['problem', 'application/problem+json'],
    ['scim', 'application/scim+json'],
  ])('errors: %s', async (errors, type) => {
    const decision = await (await gateOf()).decide(request(), { errors });
    expect(decision.allowed ? [] : decision.headers).toContainEqual(['content-type', type]);
  });

  test.each<[string, object, string]>([
    ['an unknown policy', { policy: 'x' }, 'policy: names a policy'],
    ['an unknown option', { scope: 'x' }, 'scope: unknown key; did you mean scopes?'],
    ['an empty list', { scopes: [] }, 'scopes.all: must be a list with at least one scope'],
    ['nothing to compare with', { roles: {} }, 'roles: must have all, any or both'],
    ['a scope with a blank', { scopes: 'a b' }, 'scopes.all[0]: must be a scope'],
  ])('%s is an error of the code', async (_name, options, message) => {
    const gate = await gateOf();
    expect(() => gate.decider(options)).toThrow(message);
  });

  test('options that depend on requests do not grow without bound', async () => {
    const gate = await gateOf();
    for (let index = 0; index < 1000; index++) gate.decider({ scopes: `s${index}` });
    expect(() => gate.decider({ scopes: 'one-more' })).toThrow('too many different options');
    gate.decider({ scopes: 's7' });
  });
});

describe('a server that is less exact about paths', () => {
  const routes = [
    { paths: ['/admin/**', '/Upper'], policy: 'admin' },
    { paths: ['/**'], policy: 'open' },
  ];
  const policies = { admin: { scopes: { all: ['admin'] } }, open: { access: 'anonymous' } };

  test.each([
    ['/admin/users', 'missing_credential', 'missing_credential'],
    ['/ADMIN/users', 'allowed', 'ambiguous_path'],
    ['/upper', 'allowed', 'ambiguous_path'],
    ['/Upper/', 'allowed', 'ambiguous_path'],
    ['/Upper', 'missing_credential', 'missing_credential'],
    ['/%6frders', 'allowed', 'allowed'],
    ['/%61dmin/users', 'missing_credential', 'ambiguous_path'],
    ['/caf%C3%A9', 'allowed', 'allowed'],
    ['/Orders/', 'allowed', 'allowed'],
  ])('%s', async (target, exact, loose) => {
    const gate = await gateOf({ policies, routes });
    expect(await codeOf(gate, request(undefined, { target }))).toBe(exact);
    expect(await codeOf(gate, request(undefined, { target, hasLooseRouting: true }))).toBe(loose);
  });
});

describe('DPoP', () => {
  const url = 'https://api.example.com/orders';
  const bound = (token: string, proof: string): GateRequest =>
    request(undefined, {
      headers: [
        ['authorization', `DPoP ${token}`],
        ['dpop', proof],
      ],
    });

  test('a proof is spent once, and a second decision on the same request does not spend it again', async () => {
    const gate = await gateOf();
    const token = boundToken();
    const asked = bound(token, liveProof(token, url));
    const decide = gate.decider({ senderConstraint: 'dpop' });
    expect(await decide(() => asked)).toMatchObject({ allowed: true, isProofSpent: true });
    expect(await decide(() => asked, { isProofSpent: true })).toMatchObject({ allowed: true });
    expect(await decide(() => asked)).toMatchObject({ code: 'dpop_proof_replayed' });
  });

  test('validateDPoP() with validateToken() says what decide() says', async () => {
    const gate = await gateOf();
    const text = boundToken();
    const token = await gate.validateToken(text);
    const proof = liveProof(text, url);
    expect(
      await gate.validateDPoP(proof, { method: 'GET', url: `${url}?page=2`, token, spend: false }),
    ).toMatchObject({
      jkt: token.confirmation?.jkt,
    });
    await gate.validateDPoP(proof, { method: 'GET', url, token });
    await expect(gate.validateDPoP(proof, { method: 'GET', url, token })).rejects.toMatchObject({
      code: 'dpop_proof_replayed',
      status: 401,
      error: 'invalid_dpop_proof',
    });
    expect(await codeOf(gate, bound(text, proof))).toBe('dpop_proof_replayed');
    const other = { method: 'GET', url: 'https://evil.example.com/orders', token };
    await expect(gate.validateDPoP(liveProof(text, url), other)).rejects.toMatchObject({
      code: 'dpop_proof_target',
    });
    await expect(gate.validateDPoP(proof, { ...other, url: '/orders' })).rejects.toThrow(TypeError);
  });
});

describe('validateToken()', () => {
  test('verifies, and holds to what is asked for', async () => {
    const gate = await gateOf({ policies: { staff: { roles: { any: ['staff'] } } } });
    const token = liveToken({ sub: 'alice', scope: 'a', roles: ['staff'] });
    expect(await gate.validateToken(token, { scopes: 'a', policy: 'staff' })).toMatchObject({
      subject: 'alice',
    });
    await expect(gate.validateToken(token, { scopes: 'b' })).rejects.toMatchObject({
      name: 'TokenRefusedError',
      code: 'insufficient_scope',
      status: 403,
    });
  });

  test.each([
    ['no token', '', 'malformed_credential'],
    ['garbage', 'abc', 'malformed_token'],
    ['one that is too long', 'a'.repeat(100_000), 'token_too_large'],
    ['one that has expired', liveToken({ exp: 1_700_000_000, iat: 1_699_999_000 }), 'expired_token'],
  ])('refuses %s', async (_name, token, code) => {
    await expect((await gateOf()).validateToken(token)).rejects.toMatchObject({ code });
  });
});

describe('revoke()', () => {
  test('refuses the token from then on', async () => {
    const gate = await gateOf({ revocation: { store: 'memory' } });
    const token = liveToken();
    expect(await codeOf(gate, request(token))).toBe('allowed');
    expect(await gate.revoke(token, { reason: 'stolen' })).toEqual({ here: true, atIssuer: false });
    expect(await codeOf(gate, request(token))).toBe('revoked_token');
    await expect(gate.validateToken(token)).rejects.toMatchObject({ code: 'revoked_token' });
  });

  test('rejects where nothing can be revoked', async () => {
    await expect((await gateOf()).revoke(liveToken())).rejects.toThrow('no client at the issuer');
  });
});

describe('invalidateJwks()', () => {
  test('reports key sets, and does not know others', async () => {
    const gate = await gateOf();
    expect(await gate.invalidateJwks()).toMatchObject([{ issuer: ISSUER, ok: true }]);
    await expect(gate.invalidateJwks('https://other.example.com')).rejects.toThrow('not configured');
    expect(gate.readiness()).toEqual({ ready: true, lacking: [] });
  });
});

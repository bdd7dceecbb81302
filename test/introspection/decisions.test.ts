/** Opaque tokens from bytes to bytes: a real runtime that asks a real HTTP server, which may do anything. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.js';
import { silentLogger } from '../../src/ports.js';
import { createRuntime } from '../../src/runtime/runtime.js';
import type { Runtime } from '../../src/runtime/runtime-contract.js';
import { checkRequestBytes, decodeAnswer, valuesOf } from '../support/envoy-messages.js';
import {
  answersStatus,
  answersText,
  type Behaviour,
  drips,
  FakeIssuer,
  hangs,
  neverEnds,
  redirects,
} from '../support/fake-issuer.js';
import { accessClaims, AUDIENCE, mintToken, testKey } from '../support/tokens.js';
import { until } from '../support/until.js';
import { verdictsOf } from './verdicts.js';

const CALL = { policy: undefined, authority: undefined, deadlineMs: Infinity };
const CLIENT = { clientId: 'gate', clientSecret: 'a secret', timeout: '10s' };
const closing: (() => Promise<unknown>)[] = [];
const key = testKey('ES256');

// The first request would pay for loading the HTTP client out of its time-out.
beforeAll(() => import('undici'));

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startIssuer(): Promise<FakeIssuer> {
  const issuer = await FakeIssuer.start();
  issuer.keys = [key.jwk];
  closing.push(() => issuer.stop());
  return issuer;
}

type Introspection = Readonly<Record<string, unknown>>;

async function start(
  issuers: readonly (readonly [FakeIssuer, Introspection | undefined])[],
  over: object = {},
): Promise<Runtime> {
  const file = {
    issuers: issuers.map(([issuer, introspection]) => ({
      issuer: issuer.issuer,
      audiences: [AUDIENCE],
      ...(introspection === undefined ? {} : { introspection: { ...CLIENT, ...introspection } }),
    })),
    identity: { headers: { 'x-user-id': 'sub' } },
    ...over,
  };
  const { config } = parseConfig(JSON.stringify(file), { env: {} });
  const runtime = await createRuntime(config, { log: silentLogger });
  closing.push(() => runtime.close());
  return runtime;
}

async function setUp(introspection: Introspection = {}, over: object = {}) {
  const issuer = await startIssuer();
  return { issuer, runtime: await start([[issuer, introspection]], over) };
}

async function ask(runtime: Runtime, token: string, scheme = 'Bearer', path = '/') {
  const bytes = await runtime.handler.check(
    checkRequestBytes({ path, headers: [['authorization', `${scheme} ${token}`]] }),
    CALL,
  );
  const answer = decodeAnswer(bytes);
  const user = valuesOf(answer.ok_response?.headers, 'x-user-id')[0];
  return { http: answer.denied_response?.status?.code ?? 200, user, answer };
}

const verdict = async (runtime: Runtime, token: string): Promise<string> => {
  const before = await verdictsOf(runtime);
  await ask(runtime, token);
  const after = await verdictsOf(runtime);
  return [...after].find(([reason, count]) => count > (before.get(reason) ?? 0))?.[0] ?? 'nothing';
};

const nowS = (): number => Math.floor(Date.now() / 1000);
const active = (over: object = {}): object => ({ active: true, aud: AUDIENCE, sub: 'ann', ...over });

describe('an opaque token', () => {
  test('is allowed with its identity where the issuer says that it is active, and remembered', async () => {
    const { issuer, runtime } = await setUp();
    issuer.answers.set('opaque-1', active({ iss: issuer.issuer, exp: nowS() + 60, token_type: 'Bearer' }));
    for (let n = 0; n < 3; n++)
      expect(await ask(runtime, 'opaque-1')).toMatchObject({ http: 200, user: 'ann' });
    expect(issuer.asked).toHaveLength(1);
    const [{ method, headers, form }] = issuer.asked as [(typeof issuer.asked)[0]];
    expect([method, headers['content-type']]).toEqual(['POST', 'application/x-www-form-urlencoded']);
    expect(headers.authorization).toBe(`Basic ${Buffer.from('gate:a+secret').toString('base64')}`);
    expect([...form]).toEqual([
      ['token', 'opaque-1'],
      ['token_type_hint', 'access_token'],
    ]);
    expect(await runtime.metrics.registry.metrics()).toContain(
      `portcullis_introspections_total{issuer="${issuer.issuer}",outcome="active"} 1`,
    );
  });

  test.each(['opaque', 'a.b.c', 'e.b.c', 'eyJub3Q.b.c', 'ey.b', 'e1.2.3.4.5', 'YWJj=='])(
    'is what is not three segments with a JSON header: %s',
    async (token) => {
      const { issuer, runtime } = await setUp();
      issuer.answers.set(token, active());
      expect(await ask(runtime, token)).toMatchObject({ http: 200 });
    },
  );

  test('is not a JWT, whatever is wrong with that', async () => {
    const { issuer, runtime } = await setUp();
    for (const token of [mintToken(), 'eyJhbGciOiJub25lIn0.e30.', 'eyJhbGciOiJub25lIn0.e30.x'])
      expect((await ask(runtime, token)).http).toBeGreaterThanOrEqual(400);
    expect(issuer.asked.map(({ form }) => form.get('token'))).toEqual(['eyJhbGciOiJub25lIn0.e30.']);
  });

  test('is refused without a question where no issuer introspects', async () => {
    const issuer = await startIssuer();
    const runtime = await start([[issuer, undefined]]);
    expect(await verdict(runtime, 'opaque')).toBe('malformed_token');
    expect(issuer.asked).toHaveLength(0);
  });

  test('that is not active is refused, and asked about once per negativeTtl', async () => {
    const { issuer, runtime } = await setUp();
    expect(await verdict(runtime, 'nobody-knows')).toBe('inactive_token');
    expect(await verdict(runtime, 'nobody-knows')).toBe('inactive_token');
    expect(issuer.asked).toHaveLength(1);
  });

  test.each([
    ['cacheTtl', { cacheTtl: '0s' }, active()],
    ['negativeTtl', { negativeTtl: '0s' }, { active: false }],
  ])('is asked about every time where %s is 0s', async (_, introspection, answer) => {
    const { issuer, runtime } = await setUp(introspection);
    issuer.answers.set('t', answer);
    await ask(runtime, 't');
    await ask(runtime, 't');
    expect(issuer.asked).toHaveLength(2);
  });

  test('is asked about once, however many requests bring it at once', async () => {
    const { issuer, runtime } = await setUp();
    issuer.answers.set('t', active());
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(runtime, 't')));
    expect(new Set(answers.map(({ http }) => http))).toEqual(new Set([200]));
    expect(issuer.asked).toHaveLength(1);
  });

  test('is forgotten when the section of its issuer changes', async () => {
    const { issuer, runtime } = await setUp();
    issuer.answers.set('t', active());
    await ask(runtime, 't');
    const changed = { ...CLIENT, clientSecret: 'another one' };
    const file = { issuers: [{ issuer: issuer.issuer, audiences: [AUDIENCE], introspection: changed }] };
    await runtime.apply(parseConfig(JSON.stringify(file), { env: {} }).config);
    await ask(runtime, 't');
    expect(issuer.asked).toHaveLength(2);
  });
});

describe('an answer of the issuer', () => {
  test.each<[string, string, () => object]>([
    ['another issuer', 'untrusted_issuer', () => active({ iss: 'https://other.example' })],
    ['another audience', 'invalid_audience', () => active({ aud: 'https://other.example' })],
    ['no audience', 'invalid_claims', () => active({ aud: undefined })],
    ['an expiry in the past', 'expired_token', () => active({ exp: nowS() - 60 })],
    ['an expiry that is no time', 'invalid_claims', () => active({ exp: 'soon' })],
    ['a begin in the future', 'token_not_yet_valid', () => active({ nbf: nowS() + 120 })],
    ['a birth in the future', 'token_not_yet_valid', () => active({ iat: nowS() + 120 })],
    ['too long a life', 'token_lifetime_too_long', () => active({ exp: nowS() + 1_000_000 })],
    ['a binding of another kind', 'unsupported_confirmation', () => active({ cnf: { kid: 'x' } })],
    ['a binding that is none', 'unsupported_confirmation', () => active({ cnf: 'x' })],
    [
      'a binding to a key, as Bearer',
      'bound_token_as_bearer',
      () => active({ cnf: { jkt: 'A'.repeat(43) } }),
    ],
    ['type DPoP without a binding', 'unsupported_confirmation', () => active({ token_type: 'DPoP' })],
    ['type refresh_token', 'invalid_token_type', () => active({ token_type: 'refresh_token' })],
    ['use refresh_token', 'invalid_token_type', () => active({ token_use: 'refresh_token' })],
    ['a subject that is no text', 'invalid_claims', () => active({ sub: 7 })],
    ['a scope that is no text', 'invalid_claims', () => active({ scope: 7 })],
  ])('with %s is %s', async (_, code, answer) => {
    const { issuer, runtime } = await setUp();
    issuer.answers.set('t', answer());
    expect(await verdict(runtime, 't')).toBe(code);
  });

  test('without an audience is good where that is optional, and a wrong one is still refused', async () => {
    const { issuer, runtime } = await setUp({ audience: 'optional' });
    issuer.answers.set('t', active({ aud: undefined }));
    issuer.answers.set('u', active({ aud: 'https://other.example' }));
    expect((await ask(runtime, 't')).http).toBe(200);
    expect(await verdict(runtime, 'u')).toBe('invalid_audience');
  });

  test('is held to the policy like the claims of a JWT', async () => {
    const policies = { default: { scopes: { all: ['orders:write'] } } };
    const { issuer, runtime } = await setUp({}, { policies });
    issuer.answers.set('t', active({ scope: 'orders:read' }));
    issuer.answers.set('u', active({ scope: 'orders:read orders:write' }));
    expect(await verdict(runtime, 't')).toBe('insufficient_scope');
    expect((await ask(runtime, 'u')).http).toBe(200);
  });

  const chunk = Buffer.alloc(65_536, 'x');
  test.each<[string, Behaviour]>([
    ['active as a text', answersText('{"active":"true","aud":"x"}')],
    ['active as a number', answersText('{"active":1}')],
    ['active null', answersText('{"active":null}')],
    ['no active', answersText('{"sub":"ann"}')],
    ['active twice', answersText('{"active":false,"active":true}')],
    ['a list', answersText('[{"active":true}]')],
    ['no JSON', answersText('active')],
    ['an empty text', answersText('')],
    ['HTML', answersText('<html>', { 'content-type': 'text/html' })],
    ['JSON called HTML', answersText('{"active":true}', { 'content-type': 'text/html' })],
    ['a JWT', answersText(mintToken(), { 'content-type': 'application/token-introspection+jwt' })],
    ['204', answersStatus(204)],
    ['301', redirects('http://127.0.0.1:1/', 301)],
    ['307', redirects('http://127.0.0.1:1/', 307)],
    ['401', answersStatus(401)],
    ['429', answersStatus(429)],
    ['500', answersStatus(500)],
    ['silence', hangs],
    ['a body that drips', drips],
    ['a body without end', neverEnds],
    ['2 MB', answersText(`{"active":true,"x":"${'x'.repeat(2_000_000)}"}`)],
    ['a cut connection', (_req, res) => (res.write(chunk), res.destroy(), false)],
  ])('that is none is 503, is not cached, and is not asked for twice: %s', async (_, behaviour) => {
    const isSlow = [hangs, drips, neverEnds].includes(behaviour);
    const { issuer, runtime } = await setUp({ timeout: isSlow ? '500ms' : '10s' });
    issuer.answers.set('t', active());
    issuer.answers.set('first', active());
    // What a first call loads may take longer than a short time-out allows.
    await until(async () => (await ask(runtime, 'first')).http === 200);
    issuer.asked.length = 0;
    issuer.behaviour.introspect = behaviour;
    expect(await verdict(runtime, 't')).toBe('introspection_unavailable');
    expect([issuer.asked.length, issuer.hits.other]).toEqual([1, 0]);
    delete issuer.behaviour.introspect;
    await until(async () => (await ask(runtime, 't')).http === 200);
  });

  test('of a dead issuer is 503 with Retry-After', async () => {
    const { issuer, runtime } = await setUp({ endpoint: 'http://127.0.0.1:1/' });
    const { http, answer } = await ask(runtime, 't');
    expect([http, valuesOf(answer.denied_response?.headers, 'retry-after')]).toEqual([503, ['1']]);
    expect(issuer.asked).toHaveLength(0);
  });
});

describe('a flood of opaque tokens', () => {
  test('leads to so many calls at once, and to 503 beyond those that may wait', async () => {
    const { issuer, runtime } = await setUp({ concurrency: 2, timeout: '200ms' });
    let [underWay, most] = [0, 0];
    issuer.behaviour.introspect = (_req, res) => {
      most = Math.max(most, ++underWay);
      res.once('close', () => underWay--);
      return hangs(_req, res);
    };
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => ask(runtime, `random-${n}`)));
    expect(answers.every(({ http }) => http === 503)).toBe(true);
    expect(most).toBeLessThanOrEqual(2);
    expect(issuer.asked.length).toBeLessThanOrEqual(22);
  });
});

describe('which issuer is asked', () => {
  const policies = {
    a: { issuers: [] as string[] },
    both: { issuers: [] as string[] },
  };
  const routes = [
    { paths: ['/a'], policy: 'a' },
    { paths: ['/both'], policy: 'both' },
    { paths: ['/**'], policy: 'default' },
  ];
  async function three() {
    const [a, b, c] = [await startIssuer(), await startIssuer(), await startIssuer()];
    const named = { a: { issuers: [a.issuer] }, both: { issuers: [a.issuer, b.issuer] } };
    const runtime = await start(
      [
        [a, undefined],
        [b, undefined],
        [c, undefined],
      ].map(([issuer], index) => [
        issuer as FakeIssuer,
        [{}, { tokenPrefix: 'b_' }, { tokenPrefix: 'b_c_' }][index],
      ]),
      { policies: { ...policies, ...named }, routes },
    );
    for (const issuer of [a, b, c]) {
      for (const token of ['t', 'b_t', 'b_c_t']) issuer.answers.set(token, active());
    }
    const asked = (): number[] => [a, b, c].map((issuer) => issuer.asked.length);
    return { runtime, asked };
  }

  test.each<[string, string, string, number, number[]]>([
    ['by the prefix', 'b_t', '/', 200, [0, 1, 0]],
    ['by the longest prefix', 'b_c_t', '/', 200, [0, 0, 1]],
    ['none without a prefix', 't', '/', 401, [0, 0, 0]],
    ['by the one issuer of the policy', 't', '/a', 200, [1, 0, 0]],
    ['none where the policy has two', 't', '/both', 401, [0, 0, 0]],
    ['none where the policy does not take the issuer', 'b_c_t', '/both', 401, [0, 0, 0]],
  ])('%s', async (_, token, path, http, expected) => {
    const { runtime, asked } = await three();
    expect((await ask(runtime, token, 'Bearer', path)).http).toBe(http);
    expect(asked()).toEqual(expected);
  });
});

describe('always: true', () => {
  const claimsOf = (issuer: FakeIssuer): Record<string, unknown> => ({
    ...accessClaims(),
    iss: issuer.issuer,
    iat: nowS(),
    exp: nowS() + 60,
  });

  test('asks about a JWT that passed every local check, and about no other', async () => {
    const { issuer, runtime } = await setUp({ always: true });
    const claims = claimsOf(issuer);
    const good = mintToken({ key, claims });
    issuer.answers.set(good, { active: true, username: 'ann' });
    expect(await ask(runtime, good)).toMatchObject({ http: 200, user: claims.sub });
    for (const over of [{ aud: 'x' }, { exp: nowS() - 60 }, { nbf: nowS() + 3600 }, { sub: 7 }])
      expect((await ask(runtime, mintToken({ key, claims: { ...claims, ...over } }))).http).toBe(401);
    expect(issuer.asked).toHaveLength(1);
    // What was verified before the first keys came is verified again; from then on it is remembered.
    for (let n = 0; n < 3; n++) await ask(runtime, good);
    expect(issuer.asked).toHaveLength(2);
  });

  test.each<[string, string, object | undefined]>([
    ['not active', 'inactive_token', undefined],
    ['another subject', 'invalid_claims', { active: true, sub: 'eve' }],
    ['another binding', 'invalid_claims', { active: true, cnf: { jkt: 'A'.repeat(43) } }],
    ['another audience', 'invalid_audience', { active: true, aud: 'https://other.example' }],
    ['an end that is over', 'expired_token', { active: true, exp: 1 }],
  ])('refuses one of which the issuer says: %s', async (_, code, answer) => {
    const { issuer, runtime } = await setUp({ always: true });
    const token = mintToken({ key, claims: claimsOf(issuer) });
    if (answer !== undefined) issuer.answers.set(token, answer);
    expect(await verdict(runtime, token)).toBe(code);
  });
});

/** The whole decision, from bytes to bytes, with real keys and a fake issuer: what no single part can show. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/load.js';
import { explainRequest } from '../../src/explain.js';
import { silentLogger } from '../../src/ports.js';
import { createRuntime } from '../../src/runtime/runtime.js';
import type { Runtime } from '../../src/runtime/runtime-contract.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import {
  checkRequest,
  checkRequestBytes,
  decodeAnswer,
  metadataOf,
  valuesOf,
  type CheckAnswer,
  type RequestInput,
} from '../support/envoy-messages.js';
import { jktOf, mintProof } from '../support/proofs.js';
import { accessClaims, AUDIENCE, mintToken, testKey } from '../support/tokens.js';

const CALL = { policy: undefined, authority: undefined, deadlineMs: Infinity };
const runtimes: Runtime[] = [];
const issuers: FakeIssuer[] = [];

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  for (const issuer of issuers.splice(0)) await issuer.stop();
});

const key = testKey('ES256');
const other = testKey('EdDSA');

function liveClaims(issuer: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  const nowS = Math.floor(Date.now() / 1000);
  return { ...accessClaims(), iss: issuer, iat: nowS, exp: nowS + 300, ...over };
}

async function startIssuer(keys: object[] = [key.jwk]): Promise<FakeIssuer> {
  const issuer = await FakeIssuer.start();
  issuer.keys = keys;
  issuers.push(issuer);
  return issuer;
}

function configOf(issuer: FakeIssuer, over: object = {}): Config {
  const file = {
    issuers: [{ issuer: issuer.issuer, audiences: [AUDIENCE], jwksUri: issuer.jwksUri }],
    identity: { headers: { 'x-user-id': 'sub' } },
    ...over,
  };
  return parseConfig(JSON.stringify(file), { env: {} }).config;
}

async function start(config: Config, internal: unknown[] = []): Promise<Runtime> {
  const log = { ...silentLogger, error: (fields: object) => void internal.push(fields) };
  const runtime = await createRuntime(config, { log });
  runtimes.push(runtime);
  return runtime;
}

async function ask(runtime: Runtime, input: RequestInput = {}, token?: string) {
  const headers = [
    ...(input.headers ?? []),
    ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
  ];
  const bytes = await runtime.handler.check(checkRequestBytes({ ...input, headers }), CALL);
  const answer = decodeAnswer(bytes);
  return { answer, http: answer.denied_response?.status?.code ?? 200 };
}

/** Every decision has an id of its own. */
function withoutId(answer: CheckAnswer): unknown {
  const { decision_id: id } = metadataOf(answer);
  return JSON.parse(JSON.stringify(answer).replaceAll(String(id), ''));
}

describe('createRuntime()', () => {
  test('allows a good token with its identity, and asks the issuer once', async () => {
    const issuer = await startIssuer();
    const runtime = await start(configOf(issuer));
    const token = mintToken({ key, claims: liveClaims(issuer.issuer) });
    for (let n = 0; n < 3; n++) {
      const { answer, http } = await ask(runtime, {}, token);
      expect(http).toBe(200);
      expect(valuesOf(answer.ok_response?.headers, 'x-user-id')).toHaveLength(1);
      expect(answer.ok_response?.headers_to_remove).toContain('authorization');
    }
    expect(issuer.hits.jwks).toBe(1);
    expect(await runtime.metrics.registry.metrics()).toContain(
      'portcullis_token_cache_total{outcome="hit"} 1',
    );
  });

  test.each<[string, Record<string, unknown>, number]>([
    ['a usual token', {}, 200],
    ['characters beyond Latin-1', { sub: 'Ζωή €', tenant: '日本' }, 200],
    ['characters within Latin-1', { sub: 'Grüße', tenant: 'é' }, 200],
    ['absent claims', { tenant: undefined, client_id: undefined }, 200],
    ['lists and objects', { roles: ['a', 'b,c'], tenant: 'x', realm: { roles: ['deep'] } }, 200],
    ['names of the language', { constructor: 'x', toString: 'y', hasOwnProperty: 'z' }, 200],
    ['a member __proto__', JSON.parse('{"__proto__": {"tenant": "evil"}, "tenant": null}') as object, 200],
    ['an escaped text', { sub: 'a\n"b"\\c' }, 200],
    ['a fraction of a second', { nbf: Math.floor(Date.now() / 1000) - 0.5 }, 200],
    ['a missing scope', { scope: 'other' }, 403],
    ['another audience', { aud: 'https://other.example' }, 401],
    ['an expired one', { exp: 1 }, 401],
    ['one not valid yet', { nbf: Math.floor(Date.now() / 1000) + 9999 }, 401],
    ['a bound one as Bearer', { cnf: { jkt: 'A'.repeat(43) } }, 401],
    ['an unknown binding', { cnf: { kid: 'x' } }, 401],
  ])('gives equal answers from the cache and without one: %s', async (_, over, expected) => {
    const issuer = await startIssuer();
    const rules = {
      identity: {
        headers: {
          'x-user-id': 'sub',
          'x-tenant': 'tenant',
          'x-roles': { claim: 'roles', as: 'csv' },
          'x-realm': 'realm',
        },
      },
      policies: { default: { scopes: { all: ['orders:read'] } } },
      dpop: { mode: 'optional' },
    };
    const cached = await start(configOf(issuer, rules));
    const plain = await start(configOf(issuer, { ...rules, tokenCache: { maxEntries: 0 } }));
    const claims = { ...liveClaims(issuer.issuer), scope: 'orders:read' };
    const token = mintToken({
      key,
      claims: Object.defineProperties(claims, Object.getOwnPropertyDescriptors(over)),
    });
    // Seen first, read again, kept, kept.
    for (let n = 0; n < 4; n++) {
      const [warm, cold] = [await ask(cached, {}, token), await ask(plain, {}, token)];
      expect(warm.http).toBe(expected);
      expect(withoutId(warm.answer)).toEqual(withoutId(cold.answer));
    }
  });

  test('never mixes up the answers of two tokens, two policies or two spellings', async () => {
    const issuer = await startIssuer();
    const routes = [
      { paths: ['/public/**'], policy: 'open' },
      { paths: ['/**'], policy: 'default' },
    ];
    const runtime = await start(configOf(issuer, { policies: { open: { access: 'anonymous' } }, routes }));
    const tokens = ['alice', 'bob'].map((sub) =>
      mintToken({ key, claims: liveClaims(issuer.issuer, { sub }) }),
    );
    for (let n = 0; n < 3; n++) {
      for (const [index, sub] of ['alice', 'bob'].entries()) {
        const { answer } = await ask(runtime, {}, tokens[index]);
        expect(valuesOf(answer.ok_response?.headers, 'x-user-id')).toEqual([sub]);
        const odd = await ask(runtime, { headers: [['x.user_id', 'root']] }, tokens[index]);
        expect(odd.answer.ok_response?.headers_to_remove).toContain('x.user_id');
        const open = await ask(runtime, { path: '/public/x' }, tokens[index]);
        expect(open.answer.ok_response?.headers ?? []).toEqual([]);
        expect(open.answer.ok_response?.headers_to_remove).toContain('x-user-id');
      }
    }
  });

  test('answers 503 while the issuer is down, says so, and recovers by itself', async () => {
    const issuer = await startIssuer();
    const config = configOf(issuer, { jwks: { cooldown: '1s', timeout: '500ms' } });
    const token = mintToken({ key, claims: liveClaims(issuer.issuer) });
    await issuer.stop();
    const runtime = await start(config);
    const down = await ask(runtime, {}, token);
    expect(down.http).toBe(503);
    expect(valuesOf(down.answer.denied_response?.headers, 'retry-after')).toHaveLength(1);
    expect(runtime.readiness()).toEqual({ ready: false, lacking: [issuer.issuer] });
    await issuer.start();
    while (!runtime.readiness().ready) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await ask(runtime, {}, token)).http).toBe(200);
  });

  test('apply() changes the whole configuration at once, and keeps the keys of issuers that stay', async () => {
    const first = await startIssuer();
    const second = await startIssuer([other.jwk]);
    const runtime = await start(configOf(first));
    const token = mintToken({ key, claims: liveClaims(first.issuer) });
    const foreign = mintToken({ key: other, claims: liveClaims(second.issuer) });
    expect((await ask(runtime, {}, token)).http).toBe(200);
    expect((await ask(runtime, {}, foreign)).http).toBe(401);
    const issuerOf = ({ issuer, jwksUri }: FakeIssuer) => ({ issuer, audiences: [AUDIENCE], jwksUri });
    await runtime.apply(configOf(first, { issuers: [issuerOf(first), issuerOf(second)] }));
    expect((await ask(runtime, {}, token)).http).toBe(200);
    expect((await ask(runtime, {}, foreign)).http).toBe(200);
    expect(first.hits.jwks).toBe(1);
    await runtime.apply(configOf(second, { issuers: [issuerOf(second)] }));
    expect((await ask(runtime, {}, token)).http).toBe(401);
  });

  test('apply() of a configuration that cannot be built leaves no trace: no key set is asked for', async () => {
    const [first, second] = [await startIssuer(), await startIssuer()];
    const runtime = await start(configOf(first));
    const issuerOf = (one: FakeIssuer) => ({
      issuer: one.issuer,
      audiences: [AUDIENCE],
      jwksUri: one.jwksUri,
    });
    const good = configOf(first, { issuers: [issuerOf(first), issuerOf(second)] });
    const routes = [{ policy: 'nobody', paths: ['/**'] }] as unknown as Config['routes'];
    await expect(runtime.apply({ ...good, routes })).rejects.toThrow('unknown policy');
    await new Promise((resolve) => setImmediate(resolve));
    expect(second.hits.jwks).toBe(0);
    const token = mintToken({ key, claims: liveClaims(first.issuer) });
    expect((await ask(runtime, {}, token)).http).toBe(200);
    expect(JSON.stringify(runtime.status())).not.toContain(second.issuer);
  });

  test('apply() can turn the cache of tokens off', async () => {
    const issuer = await startIssuer();
    const runtime = await start(configOf(issuer));
    const token = mintToken({ key, claims: liveClaims(issuer.issuer) });
    await ask(runtime, {}, token);
    await runtime.apply(configOf(issuer, { tokenCache: { maxEntries: 0 } }));
    await ask(runtime, {}, token);
    expect(await runtime.metrics.registry.metrics()).not.toContain('outcome="hit"');
  });

  test('invalidate() fetches one issuer or all, and knows none that is not configured', async () => {
    const issuer = await startIssuer();
    const runtime = await start(configOf(issuer));
    await ask(runtime, {}, mintToken({ key, claims: liveClaims(issuer.issuer) }));
    expect(await runtime.invalidate(undefined, false)).toMatchObject([{ issuer: issuer.issuer, ok: true }]);
    expect(await runtime.invalidate(issuer.issuer, true)).toMatchObject([{ ok: true }]);
    expect(await runtime.invalidate('https://nobody.example', false)).toBeUndefined();
    expect(issuer.hits.jwks).toBe(3);
  });

  test('a shadow policy is counted and never answers', async () => {
    const issuer = await startIssuer();
    const policies = { default: { shadow: 'strict' }, strict: { scopes: { all: ['never'] } } };
    const runtime = await start(configOf(issuer, { policies }));
    const token = mintToken({ key, claims: liveClaims(issuer.issuer) });
    expect((await ask(runtime, {}, token)).http).toBe(200);
    expect((await ask(runtime)).http).toBe(401);
    const text = await runtime.metrics.registry.metrics();
    const labels = (live: string, candidate: string) =>
      `portcullis_shadow_total{policy="default",shadow="strict",live="${live}",candidate="${candidate}"} 1`;
    expect(text).toContain(labels('allow', 'deny'));
    expect(text).toContain(labels('deny', 'deny'));
  });

  test('status() tells of issuers, caches and stores', async () => {
    const issuer = await startIssuer();
    const runtime = await start(configOf(issuer));
    await ask(runtime, {}, mintToken({ key, claims: liveClaims(issuer.issuer) }));
    expect(runtime.status()).toMatchObject({
      issuers: [{ issuer: issuer.issuer, ready: true, keyCount: 1 }],
      tokenCache: { entries: 1 },
      replay: { store: 'memory', available: true },
    });
  });
});

describe('proofs that may have been spent before', () => {
  const proofKey = testKey('ES256');

  async function setUp(over: object) {
    const issuer = await startIssuer();
    const runtime = await start(configOf(issuer, over));
    const claims = liveClaims(issuer.issuer, { cnf: { jkt: jktOf(proofKey) } });
    const token = mintToken({ key, claims });
    const send = async (proof: string) => {
      const headers = [['authorization', `DPoP ${token}`] as const, ['dpop', proof] as const];
      const { answer, http } = await ask(runtime, { headers });
      const challenge = valuesOf(answer.denied_response?.headers, 'www-authenticate').join();
      return http === 200 ? 'allowed' : `${http} ${/error="(\w+)"/.exec(challenge)?.[1]}`;
    };
    const proofOf = (ageS: number): string => {
      const iat = Math.floor(Date.now() / 1000) - ageS;
      return mintProof({ key: proofKey, token, claims: { iat, htu: 'https://api.example.com/resource' } });
    };
    return { issuer, runtime, send, proofOf };
  }

  test.each([
    ['refuse', '401 invalid_dpop_proof'],
    ['accept', 'allowed'],
  ])('after a restart, beforeStart: %s [security 5]', async (beforeStart, outcome) => {
    const { send, proofOf } = await setUp({ replay: { beforeStart } });
    expect(await send(proofOf(5))).toBe(outcome);
    const fresh = proofOf(0);
    expect(await send(fresh)).toBe('allowed');
    expect(await send(fresh)).toBe('401 invalid_dpop_proof');
  });

  test('after a reload that widens the window [security 5]', async () => {
    const replay = { beforeStart: 'accept' };
    const { issuer, runtime, send, proofOf } = await setUp({ replay, dpop: { maxAge: '60s' } });
    const [outside, inside] = [proofOf(100), proofOf(30)];
    expect(await send(outside)).toBe('401 invalid_dpop_proof');
    await runtime.apply(configOf(issuer, { replay, dpop: { maxAge: '1h' } }));
    expect(await send(outside)).toBe('401 invalid_dpop_proof');
    expect(await send(inside)).toBe('allowed');
    expect(await send(proofOf(0))).toBe('allowed');
    expect(await runtime.metrics.registry.metrics()).toContain(
      'portcullis_dpop_proofs_total{outcome="dpop_proof_time"} 2',
    );
  });
});

describe('explainRequest()', () => {
  test('tells each stage and the response, and no credential', async () => {
    const issuer = await startIssuer();
    const token = mintToken({ key, claims: liveClaims(issuer.issuer) });
    const recorded = checkRequest({ headers: [['authorization', `Bearer ${token}`]] });
    const explanation = await explainRequest(configOf(issuer), recorded);
    expect(explanation).toMatchObject({
      decision: 'allow',
      reason: 'allowed',
      policy: 'default',
      chosenBy: 'default',
    });
    expect(explanation.stages.map(({ stage }) => stage)).toEqual([
      'decode',
      'select-policy',
      'admit',
      'find-credential',
      'verify-token',
      'sender-constraint',
      'authorize',
      'spend-proof',
      'issue-identity',
    ]);
    const text = JSON.stringify(explanation);
    for (const part of token.split('.')) expect(text).not.toContain(part);
  });

  test('ends at the stage that denies', async () => {
    const issuer = await startIssuer();
    const explanation = await explainRequest(configOf(issuer), {
      attributes: { request: { http: { method: 'GET', path: '/x', host: 'h.example' } } },
    });
    expect(explanation.stages.at(-1)).toEqual({
      stage: 'find-credential',
      outcome: 'denied: missing_credential',
    });
    expect(explanation.response).toMatchObject({ http: 401 });
  });

  test('tells of a request that cannot be decoded', async () => {
    const issuer = await startIssuer();
    const explanation = await explainRequest(configOf(issuer), { attributes: {} });
    expect(explanation).toMatchObject({
      decision: 'deny',
      reason: 'malformed_request',
      response: { http: 400 },
    });
  });
});

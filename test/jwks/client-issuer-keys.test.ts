/** Keys by client, from files on disk to an answer: what is signed by whom counts, and for how long. */
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.js';
import { silentLogger } from '../../src/ports.js';
import { createRuntime } from '../../src/runtime/runtime.js';
import type { Runtime } from '../../src/runtime/runtime-contract.js';
import { verdictsOf } from '../introspection/verdicts.js';
import { checkRequestBytes, decodeAnswer, valuesOf } from '../support/envoy-messages.js';
import { accessClaims, AUDIENCE, createTestKey, ISSUER, mintToken, type TestKey } from '../support/tokens.js';
import { until } from '../support/until.js';

const CALL = { policy: undefined, authority: undefined, deadlineMs: Infinity };
const [alice, bob] = [createTestKey('ES256'), createTestKey('EdDSA')];
let dir: string;
const runtimes: Runtime[] = [];

const put = (name: string, text: string): void => writeFileSync(join(dir, name), text);
const putKey = (client: string, ...keys: TestKey[]): void =>
  put(
    `${client}.pem`,
    keys.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' })).join(''),
  );

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clients-'));
});
afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  rmSync(dir, { recursive: true });
});

function configOf(over: object = {}) {
  const issuers = [{ issuer: ISSUER, audiences: [AUDIENCE], clientKeys: { claim: 'client_id', dir } }];
  const headers = {
    'x-user': 'sub',
    'x-tenant': 'session.tenant',
    'x-limits': { claim: 'session.limits', as: 'json' },
  };
  return parseConfig(JSON.stringify({ issuers, identity: { headers }, ...over }), { env: {} }).config;
}

async function start(over: object = {}): Promise<Runtime> {
  const runtime = await createRuntime(configOf(over), { log: silentLogger });
  runtimes.push(runtime);
  return runtime;
}

function tokenOf(client: unknown, key: TestKey, over: Record<string, unknown> = {}): string {
  const nowS = Math.floor(Date.now() / 1000);
  const claims = { ...accessClaims(), client_id: client, iat: nowS, exp: nowS + 300, ...over };
  return mintToken({ key, claims });
}

async function ask(runtime: Runtime, token: string) {
  const before = await verdictsOf(runtime);
  const bytes = await runtime.handler.check(
    checkRequestBytes({ headers: [['authorization', `Bearer ${token}`]] }),
    CALL,
  );
  const { ok_response: ok } = decodeAnswer(bytes);
  const after = await verdictsOf(runtime);
  const reason = [...after].find(([name, count]) => count > (before.get(name) ?? 0))?.[0];
  const told = (name: string): string | undefined => valuesOf(ok?.headers, name)[0];
  return {
    allowed: Boolean(ok),
    reason,
    tenant: told('x-tenant'),
    limits: told('x-limits'),
    user: told('x-user'),
  };
}

describe('clientKeys', () => {
  test('takes a token that is signed with a key of the client it names', async () => {
    putKey('alice', alice);
    putKey('bob', createTestKey('ES256'), bob);
    const runtime = await start();
    for (const token of [tokenOf('alice', alice), tokenOf('bob', bob)]) {
      expect(await ask(runtime, token)).toMatchObject({ allowed: true, user: 'user-1' });
      expect(await ask(runtime, token)).toMatchObject({ allowed: true });
    }
    expect(await ask(runtime, tokenOf('bob', alice))).toMatchObject({ reason: 'invalid_signature' });
  });

  test.each([
    ['nobody', 'carol'],
    ['no client', undefined],
    ['a number', 7],
    ['a list', ['alice']],
    ['an empty name', ''],
    ['a path', '../clients/alice'],
    ['a path of its own', './alice'],
    ['a hidden file', '.alice'],
    ['a file name', 'alice.pem'],
    ['another case', 'Alice'],
    ['a NUL', 'alice\0'],
    ['too long a name', 'a'.repeat(129)],
    ['a member of every object', '__proto__'],
    ['a method of every object', 'constructor'],
  ])('names no key for %s', async (_, client) => {
    putKey('alice', alice);
    expect(await ask(await start(), tokenOf(client, alice))).toMatchObject({ reason: 'unknown_key' });
  });

  test('tells session parameters, in headers, claims and conditions', async () => {
    putKey('alice', alice);
    put('alice.yaml', 'tenant: acme\nlimits: { rate: 5 }\nsub: root\n');
    const policies = {
      default: {
        claims: { 'session.tenant': 'acme' },
        when: 'session.tenant == "acme" && session.limits.rate > 4',
      },
    };
    const runtime = await start({ policies });
    for (let n = 0; n < 3; n++) {
      expect(await ask(runtime, tokenOf('alice', alice))).toMatchObject({
        allowed: true,
        tenant: 'acme',
        limits: '{"rate":5}',
        user: 'user-1',
      });
    }
    putKey('bob', bob);
    const plain = await start({ policies: { default: { when: 'session.tenant == "acme"' } } });
    expect(await ask(plain, tokenOf('bob', bob))).toMatchObject({ reason: 'condition_failed' });
  });

  test.each([{ session: { tenant: 'acme' } }, { 'session.tenant': 'acme' }, { session: null }])(
    'lets no client say what its session parameters are: %j',
    async (over) => {
      putKey('alice', alice);
      putKey('bob', bob);
      put('bob.yaml', 'tenant: other');
      const runtime = await start();
      const acme = await start({
        policies: { default: { claims: { 'session.tenant': 'acme' } } },
      });
      const condition = await start({ policies: { default: { when: 'session.tenant == "acme"' } } });
      for (const [client, key, tenant] of [
        ['alice', alice, undefined],
        ['bob', bob, 'other'],
      ] as const) {
        const token = tokenOf(client, key, over);
        for (let n = 0; n < 3; n++)
          expect(await ask(runtime, token)).toMatchObject({ allowed: true, tenant });
        expect(await ask(acme, token)).toMatchObject({ reason: 'claim_mismatch' });
        expect(await ask(condition, token)).toMatchObject({ reason: 'condition_failed' });
      }
    },
  );

  test('takes changes without a reload, and forgets what was verified before', async () => {
    putKey('alice', alice);
    const runtime = await start();
    const token = tokenOf('alice', alice);
    expect(await ask(runtime, token)).toMatchObject({ allowed: true, tenant: undefined });
    put('alice.yaml', 'tenant: acme');
    await until(async () => (await ask(runtime, token)).tenant === 'acme');
    unlinkSync(join(dir, 'alice.pem'));
    await until(async () => (await ask(runtime, token)).reason === 'unknown_key');
    putKey('alice', alice);
    await until(async () => (await ask(runtime, token)).allowed);
    putKey('alice', createTestKey('ES256'));
    await until(async () => (await ask(runtime, token)).reason === 'invalid_signature');
  });

  test('keeps tokens over a reload that leaves the issuer as it is, and none over one that does not', async () => {
    putKey('alice', alice);
    const runtime = await start();
    const token = tokenOf('alice', alice);
    await ask(runtime, token);
    await runtime.apply(configOf());
    await ask(runtime, token);
    expect(await runtime.metrics.registry.metrics()).toContain(
      'portcullis_token_cache_total{outcome="hit"} 1',
    );
    const elsewhere = { issuer: ISSUER, audiences: [AUDIENCE], clientKeys: { claim: 'sub', dir } };
    await runtime.apply(configOf({ issuers: [elsewhere] }));
    expect(await ask(runtime, token)).toMatchObject({ reason: 'unknown_key' });
  });
});

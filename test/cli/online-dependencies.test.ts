import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkDependenciesOnline } from '../../src/cli/online-dependencies.js';
import { parseConfig } from '../../src/config/load.js';
import { createSqliteRevocationStore } from '../../src/revocation/sqlite-store.js';
import { answersStatus, answersText, type Behaviour, FakeIssuer } from '../support/fake-issuer.js';
import { stopAll } from '../support/processes.mjs';
import { findRedis, startRedis } from '../support/provision-redis.mjs';

let issuer: FakeIssuer;
beforeAll(async () => {
  issuer = await FakeIssuer.start();
});
afterAll(async () => {
  await stopAll();
  await issuer.stop();
});

const check = (over: object = {}, introspection: object = {}) =>
  checkDependenciesOnline(
    parseConfig(
      JSON.stringify({
        issuers: [
          { issuer: 'https://plain.example', audiences: ['x'], ...PLAIN },
          {
            issuer: issuer.issuer,
            audiences: ['x'],
            introspection: { clientId: 'gate', clientSecret: 's', timeout: '5s', ...introspection },
          },
        ],
        ...over,
      }),
      { env: {} },
    ).config,
  );
const PLAIN = { keys: [{ alg: 'HS256', secret: 'x'.repeat(32) }] };

describe('checkDependenciesOnline()', () => {
  test('asks an introspection endpoint once, about a token that is nobody’s', async () => {
    issuer.asked.length = 0;
    expect(await check()).toEqual([
      { path: 'issuers[1].introspection', ok: true, text: 'ok, answers to this client' },
    ]);
    expect(issuer.asked.map(({ form }) => form.get('token'))).toEqual([
      expect.stringMatching(/^portcullis-validate-[0-9a-f]{32}$/),
    ]);
  });

  test.each<[string, Behaviour, RegExp]>([
    ['a wrong secret', answersStatus(401), /^no answer: .*answered 401/],
    ['an answer that is none', answersText('{}'), /^no answer: active is missing/],
    ['a server that calls everything active', answersText('{"active":true}'), /made-up token active/],
  ])('reports %s', async (_, behaviour, text) => {
    issuer.behaviour.introspect = behaviour;
    expect(await check()).toEqual([
      { path: 'issuers[1].introspection', ok: false, text: expect.stringMatching(text) },
    ]);
    delete issuer.behaviour.introspect;
  });

  test('reports a Redis that is not there, and never its password', async () => {
    const [, redis] = await check({ redis: { url: 'redis://:the-password@127.0.0.1:1' } });
    expect(redis).toEqual({ path: 'redis', ok: false, text: 'no answer: not connected within 3 s' });
  });

  test('opens a store of revocations that is there, and makes none', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'online-')), 'revocations.db');
    const asked = () => check({ revocation: { store: 'sqlite', path } });
    expect((await asked())[1]).toEqual({
      path: 'revocation',
      ok: true,
      text: 'ok, is made at the first start',
    });
    expect(existsSync(path)).toBe(false);
    const store = createSqliteRevocationStore(path);
    await store.open(
      () => undefined,
      () => [],
    );
    await store.close();
    expect((await asked())[1]?.text).toBe('ok, sqlite answers, revocations held: 0');
    const text = `${path}.txt`;
    writeFileSync(text, 'this is a text, and a long one at that\n'.repeat(100));
    expect((await check({ revocation: { store: 'sqlite', path: text } }))[1]).toEqual({
      path: 'revocation',
      ok: false,
      text: expect.stringMatching(/^no answer: .*not a database/),
    });
  });

  (findRedis() === undefined ? test.skip : test)('finds a Redis that is there', async () => {
    const { url } = await startRedis();
    const [, redis] = await check({ redis: { url } });
    expect(redis).toEqual({ path: 'redis', ok: true, text: 'ok, answers' });
    expect((await check({ redis: { url }, revocation: { store: 'redis' } }))[2]).toEqual({
      path: 'revocation',
      ok: true,
      text: 'ok, answers',
    });
  });
});

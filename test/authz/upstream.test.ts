import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CredentialSource } from '../../src/authz/credentials.js';
import { createIdentityHeaders, type IdentityHeaders } from '../../src/authz/identity/headers.js';
import { createIssueIdentityStage } from '../../src/authz/stages/issue-identity.js';
import type { VerifiedToken } from '../../src/authz/types.js';
import { createUpstreamBuilder, type UpstreamOptions } from '../../src/authz/upstream.js';
import { checkContext, denialOf, verifiedToken, type ContextParts } from './contexts.js';

const identity = createIdentityHeaders({ 'x-user-id': 'sub', 'x-user-roles': { claim: 'roles', as: 'csv' } });
const SOURCES: CredentialSource[] = [
  { header: 'authorization' },
  { header: 'X-Access-Token' },
  { cookie: 'session' },
  { query: 'access_token' },
];
const OPTIONS: UpstreamOptions & { identity: IdentityHeaders } = {
  identity,
  tokenHeader: 'x-portcullis-identity',
  credential: 'remove',
  sources: SOURCES,
  methodOverride: 'remove',
  conditionHeaders: [],
};
const ALICE = verifiedToken({ claims: { sub: 'alice', roles: ['a', 'b'] } });
const NOBODY = verifiedToken({ claims: {} });

interface Situation extends ContextParts {
  readonly token?: VerifiedToken;
  readonly identityToken?: string;
}

function changesFor({ token, identityToken, ...parts }: Situation, options: Partial<typeof OPTIONS> = {}) {
  const ctx = checkContext(parts);
  const all = { ...OPTIONS, ...options };
  ctx.token = token;
  if (token !== undefined) ctx.identity = all.identity.of(token);
  ctx.identityToken = identityToken;
  return createUpstreamBuilder(all)(ctx);
}

const ALIASES = ['x_user_id', 'x_user_roles', 'x_portcullis_identity'];
const CREDENTIALS = ['authorization', 'x-access-token', 'x_access_token', 'dpop'];
const METHOD_OVERRIDES = ['x-http-method', 'x-http-method-override', 'x-method-override'].flatMap((name) => [
  name,
  name.replaceAll('-', '_'),
]);

describe('createUpstreamBuilder()', () => {
  test('sets the identity of a token, and removes the rest', () => {
    const { set, remove } = changesFor({ token: ALICE, identityToken: 'jwt' });
    expect(set).toEqual([
      ['x-user-id', 'alice'],
      ['x-user-roles', 'a,b'],
      ['x-portcullis-identity', 'jwt'],
    ]);
    expect(new Set(remove)).toEqual(new Set([...ALIASES, ...CREDENTIALS, ...METHOD_OVERRIDES]));
  });

  test('removes the headers of absent claims', () => {
    const { set, remove } = changesFor({ token: NOBODY });
    expect(set).toEqual([]);
    expect(remove).toEqual(
      expect.arrayContaining(['x-user-id', 'x-user-roles', 'x-portcullis-identity', ...ALIASES]),
    );
  });

  test('removes identity and credentials of anonymous requests, too', () => {
    const { set, remove } = changesFor({ headers: { 'x-user-id': 'evil', authorization: 'Bearer x' } });
    expect(set).toEqual([]);
    expect(remove).toEqual(expect.arrayContaining(['x-user-id', 'x-user-roles', ...ALIASES, ...CREDENTIALS]));
  });

  test.each([
    'x_user-id',
    'x-user_id',
    'x.user.id',
    'x.user-id',
    'x_user.id',
    'x-portcullis-anything',
    'x_portcullis_anything',
    'x-portcullis.identity',
    'x_access-token',
  ])('removes the alias %s', (name) => {
    expect(changesFor({ token: ALICE, headers: { [name]: 'evil' } }).remove).toContain(name);
    expect(changesFor({ headers: { [name]: 'evil' } }).remove).toContain(name);
  });

  test.each(['x-user', 'x-user-id-2', 'xx-user-id', 'x_other', 'x.user', 'x-portcullis'])(
    'leaves %s',
    (name) => {
      expect(changesFor({ token: ALICE, headers: { [name]: 'fine' } }).remove).not.toContain(name);
    },
  );

  test('sets an identity header that is spelled with underscores, and removes the one with hyphens', () => {
    const spelled = createIdentityHeaders({ x_user_id: 'sub' });
    const { set, remove } = changesFor({ token: ALICE }, { identity: spelled });
    expect(set).toEqual([['x_user_id', 'alice']]);
    expect(remove).toContain('x-user-id');
    expect(remove).not.toContain('x_user_id');
  });

  test('sets an identity header over a credential of the same name', () => {
    const same = createIdentityHeaders({ 'x-access-token': 'sub' });
    const { set, remove } = changesFor({ token: ALICE }, { identity: same });
    expect(set).toEqual([['x-access-token', 'alice']]);
    expect(remove).not.toContain('x-access-token');
  });

  test('forwards all as it was sent', () => {
    const parts = { headers: { cookie: 'session=x; a=1' }, query: 'access_token=x', token: ALICE };
    const { set, remove, removeQuery } = changesFor(parts, { credential: 'forward' });
    expect(set.map(([name]) => name)).toEqual(['x-user-id', 'x-user-roles']);
    expect(remove.filter((name) => CREDENTIALS.includes(name) || name === 'cookie')).toEqual([]);
    expect(removeQuery).toEqual([]);
    expect(remove).toEqual(expect.arrayContaining(ALIASES));
  });

  test.each([
    ['some are left', 'session=x; a=1', 'a=1', false],
    ['none is left', 'session=x', undefined, true],
    ['none was there', 'a=1', undefined, false],
    ['it cannot be read', 'session=x\ufffd', undefined, true],
  ])('takes the token out of the cookies: %s', (_, cookie, expected, removed) => {
    for (const token of [ALICE, undefined]) {
      const { set, remove } = changesFor({ headers: { cookie }, ...(token === undefined ? {} : { token }) });
      expect(set.find(([name]) => name === 'cookie')?.[1]).toBe(expected);
      expect(remove.includes('cookie')).toBe(removed);
    }
  });

  test.each([
    ['there', 'a=1&access_token=x', ['access_token']],
    ['there without value', 'access_token', ['access_token']],
    ['not there', 'a=1&b', []],
    ['no query', undefined, []],
  ])('takes the token out of the query: %s', (_, query, expected) => {
    expect(changesFor({ query, token: ALICE }).removeQuery).toEqual(expected);
    expect(changesFor({ query }).removeQuery).toEqual(expected);
  });

  const OVERRIDES = [
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x_http_method_override',
    'x_http-method',
    'x.method.override',
  ];
  const overriding = { headers: Object.fromEntries(OVERRIDES.map((name) => [name, 'DELETE'])) };

  test.each<[string, Situation, Partial<typeof OPTIONS>]>([
    ['with a token', { token: ALICE }, {}],
    ['without one', {}, {}],
    ['where the credential is forwarded', { token: ALICE }, { credential: 'forward' }],
  ])('removes method override headers and their aliases %s [security 2]', (_, situation, options) => {
    const { remove } = changesFor({ ...situation, ...overriding }, options);
    expect(remove).toEqual(expect.arrayContaining(OVERRIDES));
  });

  test('forwards method override headers where that is configured [security 2]', () => {
    const { remove } = changesFor({ token: ALICE, ...overriding }, { methodOverride: 'forward' });
    expect(remove.filter((name) => OVERRIDES.includes(name))).toEqual([]);
  });

  test('removes the aliases of headers that conditions read, not the headers themselves [security suspicion]', () => {
    const headers = { 'x-tenant-id': 'a', x_tenant_id: 'b', 'x.tenant-id': 'c', x_plan: 'd', 'x-plan': 'e' };
    const conditionHeaders = ['x-tenant-id', 'x_plan', 'x-user-id'];
    const { remove } = changesFor({ headers }, { conditionHeaders });
    expect(remove).toEqual(expect.arrayContaining(['x_tenant_id', 'x.tenant-id', 'x-plan', 'x-user-id']));
    expect(remove).not.toContain('x-tenant-id');
    expect(remove).not.toContain('x_plan');
  });

  test('shares its lists between requests', () => {
    const build = createUpstreamBuilder(OPTIONS);
    const ctxOf = (token: VerifiedToken | undefined) => {
      const ctx = checkContext({ headers: { accept: '*/*' } });
      ctx.token = token;
      return ctx;
    };
    const [first, second] = [build(ctxOf(ALICE)), build(ctxOf(ALICE))];
    expect(first.set).toBe(second.set);
    expect(first.remove).toBe(second.remove);
    expect(first.removeQuery).toBe(second.removeQuery);
    const other = build(ctxOf(verifiedToken({ claims: { sub: 'bob', roles: ['c'] } })));
    expect(other.remove).toBe(first.remove);
    expect(build(ctxOf(undefined)).remove).toBe(build(ctxOf(undefined)).remove);
  });

  test('never names a header in both lists, and lets no alias through', () => {
    const name = fc.constantFrom(
      'x-user-id',
      'x_user_id',
      'x.user-id',
      'x-user-roles',
      'cookie',
      'x-portcullis-x',
      'dpop',
      'accept',
    );
    const claims = fc.record({ sub: fc.string(), roles: fc.array(fc.string()) }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.option(claims, { nil: undefined }), (names, given) => {
        const headers = Object.fromEntries(names.map((n) => [n, n === 'cookie' ? 'session=x; a=1' : 'evil']));
        const token = given === undefined ? {} : { token: verifiedToken({ claims: given }) };
        const { set, remove } = changesFor({ headers, ...token });
        const setNames = new Set(set.map(([n]) => n));
        expect(remove.filter((n) => setNames.has(n))).toEqual([]);
        for (const n of names) if (n !== 'accept') expect(setNames.has(n) || remove.includes(n)).toBe(true);
        for (const [, value] of set) expect(value).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});

describe('createIssueIdentityStage()', () => {
  test('keeps the identity token', () => {
    const stage = createIssueIdentityStage({
      identity,
      tokens: { issue: (token) => `jwt of ${token.hash}` },
    });
    const ctx = checkContext();
    ctx.token = ALICE;
    expect(stage.run(ctx)).toBeUndefined();
    expect(ctx.identityToken).toBe('jwt of hash-of-the-token');
  });

  test('issues nothing for nobody', () => {
    const stage = createIssueIdentityStage({ identity, tokens: { issue: () => 'jwt' } });
    const ctx = checkContext();
    void stage.run(ctx);
    expect(ctx.identityToken).toBeUndefined();
  });

  test('throws invalid_claims while a denial is still possible', () => {
    const stage = createIssueIdentityStage({ identity, tokens: undefined });
    const ctx = checkContext();
    ctx.token = verifiedToken({ claims: { sub: 'x'.repeat(9000) } });
    expect(denialOf(() => stage.run(ctx))).toBe('invalid_claims');
  });
});

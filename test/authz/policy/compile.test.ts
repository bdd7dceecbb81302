import { describe, expect, test } from '@jest/globals';
import { compilePolicies, PolicyError, type PolicySpec } from '../../../src/authz/policy/compile.js';
import { compileCondition } from '../../../src/authz/policy/condition.js';
import { createAuthorizeStage } from '../../../src/authz/stages/authorize.js';
import type { Policy } from '../../../src/authz/types.js';
import { checkContext, denialOf, NOW_S, thrownBy, verifiedToken } from '../contexts.js';

const compile = (specs: Readonly<Record<string, PolicySpec>>) => compilePolicies(specs, compileCondition);
const policy = (policies: ReadonlyMap<string, Policy>, name: string): Policy => policies.get(name)!;

describe('compilePolicies()', () => {
  test('a condition without its compiler is a fault of ours, and no policy', () => {
    expect(() => compilePolicies({ p: { when: 'true' } }, undefined)).toThrow('needs its compiler');
  });

  test('builds in default', () => {
    expect(policy(compile({}), 'default')).toMatchObject({
      name: 'default',
      access: 'required',
      requirements: [],
      consumeProof: true,
      corsPreflight: false,
      errors: 'oauth',
      senderConstraint: undefined,
      shadow: undefined,
    });
  });

  test('lets default be redefined', () => {
    expect(policy(compile({ default: { access: 'anonymous' } }), 'default').access).toBe('anonymous');
  });

  test('requires access by default', () => {
    expect(policy(compile({ p: {} }), 'p').access).toBe('required');
  });

  test('passes on what others enforce', () => {
    const spec = {
      senderConstraint: 'mtls',
      consume: false,
      corsPreflight: 'allow',
      cors: { origins: ['https://app.example.com'] },
      errors: 'scim',
      issuers: ['https://a'],
      scopes: { all: ['x'] },
    } as const;
    expect(policy(compile({ p: spec }), 'p')).toMatchObject({
      senderConstraint: 'mtls',
      consumeProof: false,
      corsPreflight: true,
      corsOrigins: new Set(['https://app.example.com']),
      errors: 'scim',
      issuers: new Set(['https://a']),
      challengeScope: 'x',
    });
  });

  test('a shadow has no shadow of its own', () => {
    const policies = compile({ a: { shadow: 'b' }, b: { shadow: 'a' } });
    expect(policy(policies, 'a').shadow).toMatchObject({ name: 'b', shadow: undefined });
    expect(policy(policies, 'b').shadow).toMatchObject({ name: 'a', shadow: undefined });
  });

  test('throws PolicyError with every problem', () => {
    const error = thrownBy(() =>
      compile({
        a: { when: 'claims.x ==' },
        b: { when: 'nope' },
        c: { shadow: 'gone' },
        d: { shadow: 'd' },
      }),
    );
    expect(error).toBeInstanceOf(PolicyError);
    expect((error as PolicyError).problems.map(({ path }) => path)).toEqual([
      ['a', 'when'],
      ['b', 'when'],
      ['c', 'shadow'],
      ['d', 'shadow'],
    ]);
  });

  test.each(['toString', 'constructor', 'hasOwnProperty'])('has no policy %s', (name) => {
    expect(compile({}).has(name)).toBe(false);
    expect(denialOf(() => compile({ a: { shadow: name } }))).toBeInstanceOf(PolicyError);
  });
});

describe('createAuthorizeStage()', () => {
  const policies = compile({
    strict: {
      issuers: ['https://login.example.com'],
      scopes: { all: ['write'] },
      roles: { any: ['admin'] },
      claims: { tenant: 'acme' },
      when: 'claims.level > 1',
      stepUp: { maxAge: 60_000 },
    },
  });
  const good = {
    scopes: new Set(['write']),
    claims: { roles: ['admin'], tenant: 'acme', level: 2, auth_time: NOW_S },
  };
  const judge = (token: object): unknown =>
    denialOf(() => {
      const ctx = checkContext({ policy: policy(policies, 'strict') });
      ctx.token = verifiedToken({ ...good, ...token });
      return createAuthorizeStage().run(ctx);
    });

  test.each<[string, object, string]>([
    ['what meets all', {}, 'passed'],
    [
      'another issuer first',
      { issuer: 'https://login.example.com/', scopes: new Set() },
      'issuer_not_allowed',
    ],
    ['then scopes', { scopes: new Set(), claims: {} }, 'insufficient_scope'],
    ['then roles', { claims: {} }, 'insufficient_role'],
    ['then claims', { claims: { roles: 'admin' } }, 'claim_mismatch'],
    ['then the condition', { claims: { roles: 'admin', tenant: 'acme' } }, 'condition_failed'],
    ['then step-up', { claims: { roles: 'admin', tenant: 'acme', level: 2 } }, 'step_up_required'],
  ])('%s', (_, token, expected) => {
    expect(judge(token)).toBe(expected);
  });

  test('refuses where nothing was verified or chosen before', () => {
    const ctx = checkContext();
    expect(denialOf(() => createAuthorizeStage().run(ctx))).toBe('missing_credential');
    ctx.match = undefined;
    expect(denialOf(() => createAuthorizeStage().run(ctx))).toBe('unknown_policy');
  });
});

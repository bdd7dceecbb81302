import { describe, expect, test } from '@jest/globals';
import { ConditionError } from '../../../src/authz/policy/condition-error.js';
import { compileCondition } from '../../../src/authz/policy/condition.js';
import type { CheckContext, RequestHeaders } from '../../../src/authz/types.js';
import { checkContext, verifiedToken } from '../contexts.js';
import type { JsonObject } from '../../../src/ports.js';

interface Situation {
  readonly hasTrueTarget?: boolean;
  readonly claims?: object;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly host?: string;
  readonly headers?: Record<string, string>;
  readonly params?: Record<string, string>;
  readonly scopes?: readonly string[];
  readonly subject?: string;
}

function holds(source: string, situation: Situation = {}): boolean {
  const { requirement: require } = compileCondition(source);
  const token = verifiedToken({
    claims: (situation.claims ?? {}) as JsonObject,
    scopes: new Set(situation.scopes ?? []),
    ...(situation.subject === undefined ? {} : { subject: situation.subject }),
  });
  try {
    require(checkContext(situation), token);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'condition_failed' });
    return false;
  }
}

const NESTED = (depth: number): unknown => (depth === 0 ? 'x' : { a: NESTED(depth - 1) });

describe('compileCondition()', () => {
  test.each<[string, string, Situation, boolean]>([
    [
      'claim equals header',
      'claims.tenant == request.headers["x-tenant"]',
      { claims: { tenant: 'a' }, headers: { 'x-tenant': 'a' } },
      true,
    ],
    [
      'claim differs from header',
      'claims.tenant == request.headers["x-tenant"]',
      { claims: { tenant: 'a' }, headers: { 'x-tenant': 'b' } },
      false,
    ],
    ['header is missing', 'claims.tenant == request.headers["x-tenant"]', { claims: { tenant: 'a' } }, false],
    ['both are missing', 'claims.tenant == request.headers["x-tenant"]', {}, false],
    [
      'two headers are joined',
      'claims.tenant == request.headers["x-tenant"]',
      { claims: { tenant: 'a' }, headers: { 'x-tenant': 'a,b' } },
      false,
    ],
    ['number against integer', 'claims.level >= 3', { claims: { level: 3 } }, true],
    ['number equals integer', 'claims.level == 3', { claims: { level: 3 } }, true],
    ['number below', 'claims.level >= 3', { claims: { level: 2.9 } }, false],
    ['text is no number', 'claims.level >= 3', { claims: { level: '9' } }, false],
    ['text equals no number', 'claims.level == 3', { claims: { level: '3' } }, false],
    ['arithmetic', 'claims.level + 1 == 4', { claims: { level: 3 } }, true],
    ['arithmetic the other way', '2 * claims.level > 5', { claims: { level: 3 } }, true],
    ['number in list', 'claims.level in [1, 2, 3]', { claims: { level: 3 } }, true],
    ['boolean claim', 'claims.admin', { claims: { admin: true } }, true],
    ['truthy text is not true', 'claims.admin', { claims: { admin: 'true' } }, false],
    ['one is not true', 'claims.admin', { claims: { admin: 1 } }, false],
    ['list membership', '"ops" in claims.groups', { claims: { groups: ['dev', 'ops'] } }, true],
    ['a text is no list', '"ops" in claims.groups', { claims: { groups: 'ops' } }, false],
    ['loop', 'claims.groups.exists(g, g.startsWith("team-"))', { claims: { groups: ['a', 'team-b'] } }, true],
    [
      'loop over objects',
      'claims.orgs.exists(o, o.id == "x" && o.admin)',
      { claims: { orgs: [{ id: 'x', admin: true }] } },
      true,
    ],
    [
      'dotted claim',
      'claims.realm_access.roles.exists(r, r == "a")',
      { claims: { realm_access: { roles: ['a'] } } },
      true,
    ],
    [
      'claim with dots in its name',
      '"a" in claims["https://acme.com/roles"]',
      { claims: { 'https://acme.com/roles': ['a'] } },
      true,
    ],
    ['has()', '!has(claims.banned) || !claims.banned', {}, true],
    ['has() of a present one', '!has(claims.banned) || !claims.banned', { claims: { banned: true } }, false],
    ['map equality', 'claims.o == {"a": "b"}', { claims: { o: { a: 'b' } } }, true],
    ['params', 'request.params.id == token.subject', { params: { id: 'u1' }, subject: 'u1' }, true],
    ['params of no route', 'request.params.id == token.subject', { subject: 'u1' }, false],
    ['method', 'request.method == "GET"', { method: 'GET' }, true],
    ['path is decoded', 'request.path == "/admin"', { path: '/%61dmin' }, true],
    [
      'an ambiguous path cannot be read',
      '!request.path.startsWith("/admin")',
      { path: '/x/..;/admin' },
      false,
    ],
    ['host is normal', 'request.host == "api.example.com"', { host: 'API.example.com.:8443' }, true],
    ['query', 'request.query.tenant == "a b"', { query: 'x=1&tenant=a+b' }, true],
    ['a query parameter twice', 'request.query.tenant == "a"', { query: 'tenant=a&tenant=a' }, false],
    [
      'a query parameter twice is no absence',
      '!has(request.query.tenant)',
      { query: 'tenant=a&tenant=b' },
      false,
    ],
    ['scopes', '"read" in token.scopes', { scopes: ['read'] }, true],
    ['times', 'token.expiresAt - request.time <= duration("1h")', {}, true],
    ['time of day', 'request.time.getHours() >= 0', {}, true],
    ['binding', 'token.binding == "none"', {}, true],
    ['pattern', 'claims.email.matches("^[^@]+@acme[.]com$")', { claims: { email: 'a@acme.com' } }, true],
    [
      'pattern that fails',
      'claims.email.matches("^[^@]+@acme[.]com$")',
      { claims: { email: 'a@acme.com.evil' } },
      false,
    ],
    [
      'pattern in a loop',
      'claims.emails.exists(e, e.matches("@acme[.]com$"))',
      { claims: { emails: ['x', 'a@acme.com'] } },
      true,
    ],
    ['lower case of ASCII only', 'claims.x.lowerAscii() == "k"', { claims: { x: '\u212a' } }, false],
    ['lower case', 'claims.x.lowerAscii() == "k"', { claims: { x: 'K' } }, true],
    [
      'nested loop over a literal list',
      '["a", "b"].all(x, claims.g.exists(g, g == x))',
      { claims: { g: ['b', 'a'] } },
      true,
    ],
  ])('%s', (_, source, situation, expected) => {
    expect(holds(source, situation)).toBe(expected);
  });

  test.each<[string, string, object]>([
    ['constructor of claims', 'claims.constructor == claims.constructor', {}],
    ['__proto__ of claims', 'has(claims.__proto__)', {}],
    ['an own __proto__', 'claims["__proto__"].admin', JSON.parse('{"__proto__":{"admin":true}}')],
    [
      'an own nested __proto__',
      'claims.a["__proto__"].admin',
      JSON.parse('{"a":{"__proto__":{"admin":true}}}'),
    ],
    ['toString of a nested object', 'has(claims.a.toString)', { a: {} }],
    ['a name out of a claim', 'request[claims.n] == "GET"', { n: 'constructor' }],
    ['a private field by name', 'request[claims.n].request.method == "GET"', { n: 'ctx' }],
    ['length of a text', 'claims.sub.length > 0', { sub: 'abc' }],
    ['an object named like a type', 'claims.a', { a: { constructor: 'Boolean' } }],
    ['too deep', 'claims.a.a.a.a.a.a.a.a == "x"', { a: NESTED(7) }],
    ['too deep, denied by absence', '!("y" in claims.a)', { a: NESTED(7) }],
    [
      'too long a list',
      '!("banned" in claims.groups)',
      { groups: [...Array<string>(2048).fill('x'), 'banned'] },
    ],
    [
      'too many members before',
      '!("banned" in claims.groups)',
      { filler: Array<string>(2048).fill('x'), groups: ['a'] },
    ],
    ['too long a text', 'claims.a != "x"', { a: 'x'.repeat(4097) }],
    ['an integer that was rounded', 'claims.a == 9007199254740993', { a: 2 ** 53 }],
    ['one in a list, denied by absence', '!(9007199254740993 in claims.a)', { a: [2 ** 53] }],
    ['a text too long for a pattern', '!claims.a.matches("x")', { a: 'a'.repeat(1025) }],
  ])('sees nothing it must not see: %s', (_, source, claims) => {
    expect(holds(source, { claims })).toBe(false);
  });

  test('an own member that is called constructor is an ordinary one', () => {
    expect(holds('claims.constructor == "ferrari"', { claims: { constructor: 'ferrari' } })).toBe(true);
  });

  test('a pattern that would backtrack is decided', () => {
    expect(holds('claims.a.matches("^(a+)+$")', { claims: { a: `${'a'.repeat(1000)}!` } })).toBe(false);
  });

  test.each([
    ['no CEL', 'claims.a =='],
    ['empty', ''],
    ['an unknown variable', 'claim.a == "x"'],
    ['an unknown field of request', 'request.verb == "GET"'],
    ['an unknown field of token', 'token.sub == "x"'],
    ['not a boolean', '1 + 1'],
    ['a text', 'request.method'],
    ['types that never fit', 'request.method == 1'],
    ['an unknown function', 'frob(claims.a)'],
    ['an unknown method', 'claims.a.frob()'],
    ['a method of ours by its inner name', 'claims.a.matchesLinear("x")'],
    ['cel.bind', 'cel.bind(x, claims.a, x == x)'],
    ['JSON from bytes', 'bytes("{}").json().a == 1'],
    ['nested loops', 'claims.a.exists(x, claims.b.exists(y, x == y))'],
    [
      'thrice nested literal loops',
      `${'[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22].all(x, '.repeat(3)}true)))`,
    ],
    ['a pattern out of a claim', 'request.path.matches(claims.a)'],
    ['a pattern that RE2 has not', 'request.path.matches("(?=a)")'],
    ['a duration out of a claim', 'duration(claims.a) == duration("1s")'],
    ['too long', `claims.a == "${'x'.repeat(5000)}"`],
    ['too deep', `${'('.repeat(50)}true${')'.repeat(50)}`],
    ['too many nodes', Array<string>(400).fill('claims.a').join(' && ')],
  ])('throws ConditionError at once: %s', (_, source) => {
    expect(() => compileCondition(source)).toThrow(ConditionError);
  });

  test.each([
    ['request.headers["x-tenant"] == claims.tenant', ['x-tenant']],
    ['request.headers.x_tenant == claims.tenant_id', ['x_tenant']],
    ['"x-a" in request.headers', ['x-a']],
    ['["x-a", "x-b"].exists(h, request.headers[h] == "1")', ['x-a', 'x-b', '1']],
    ['request.method == "GET" && claims.a == "x-a"', []],
  ])('names the headers that %s reads [security suspicion]', (source, expected) => {
    expect(compileCondition(source).headers).toEqual(expected);
  });

  test.each(['delete', 'Delete', 'DELETE'])('sees the method as judged: %s [security 9]', (method) => {
    expect(holds('request.method != "DELETE"', { method })).toBe(false);
  });

  test('reads the fields of a request once, however often it mentions headers [security 8]', () => {
    let reads = 0;
    const ctx = checkContext({});
    const headers: RequestHeaders = {
      get: () => undefined,
      all: () => [],
      names: () => [],
      joined: () => {
        reads++;
        return new Map(Array.from({ length: 900 }, (_, i) => [`x-${i}`, 'v']));
      },
    };
    const counted: CheckContext = { ...ctx, request: { ...ctx.request, headers } };
    const source = Array.from({ length: 20 }, (_, i) => `request.headers["x-${i}"] == "v"`).join(' && ');
    compileCondition(source).requirement(counted, verifiedToken());
    expect(reads).toBe(1);
  });

  test.each(['request.path != ""', 'request.query.size() >= 0'])(
    'does not read a target that may not be the true one: %s [security 4]',
    (source) => {
      expect(holds(source, { path: '/a' })).toBe(true);
      expect(holds(source, { path: '/a', hasTrueTarget: false })).toBe(false);
    },
  );

  test('reveals no claims in its error', () => {
    const { requirement: require } = compileCondition('int(claims.secret) == 1');
    let thrown: unknown;
    try {
      require(checkContext({}), verifiedToken({ claims: { secret: 'hunter2' } }));
    } catch (error) {
      thrown = error;
    }
    expect(JSON.stringify(thrown)).not.toContain('hunter2');
  });
});

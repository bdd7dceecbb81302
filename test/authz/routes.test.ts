import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRouter, type RoutePattern } from '../../src/authz/routes.js';
import { denialOf, policyOf } from './contexts.js';

type Asked = readonly [method: string, host: string, path: string];

/** Policies are named after their position, so that a match shows which route it was. */
function routerOf(routes: readonly RoutePattern[]) {
  return createRouter(
    routes.map((route, index) => ({ ...route, policy: policyOf({ name: String(index) }) })),
  );
}

function matchOf(routes: readonly RoutePattern[], [method, host, path]: Asked): unknown {
  const router = routerOf(routes);
  let found: unknown;
  const denial = denialOf(() => {
    found = Number(router.match({ method, host, path }).policy.name);
  });
  return denial === 'passed' ? found : denial;
}

const get = (path: string, host = 'api.example.com'): Asked => ['GET', host, path];

describe('createRouter()', () => {
  test.each<[string, RoutePattern[], Asked, unknown]>([
    ['the first match wins', [{ paths: ['/a/**'] }, { paths: ['/a/b'] }], get('/a/b'), 0],
    ['a later literal before a rest', [{ paths: ['/a/b'] }, { paths: ['/**'] }], get('/a/b'), 0],
    ['an earlier star before a literal', [{ paths: ['/a/*/c'] }, { paths: ['/a/b/c'] }], get('/a/b/c'), 0],
    ['a literal that leads nowhere', [{ paths: ['/a/b/x'] }, { paths: ['/*/b/c'] }], get('/a/b/c'), 1],
    ['a rest matches its own prefix', [{ paths: ['/a/**'] }], get('/a'), 0],
    ['a rest matches its prefix with a slash', [{ paths: ['/a/**'] }], get('/a/'), 0],
    ['a rest matches what is below', [{ paths: ['/a/**'] }], get('/a/b/c'), 0],
    ['a rest is no prefix of letters', [{ paths: ['/a/**'] }], get('/ab'), 'no_route'],
    ['the rest of all', [{ paths: ['/**'] }], get('/'), 0],
    ['a star is one segment', [{ paths: ['/a/*'] }], get('/a/b'), 0],
    ['a star is not two', [{ paths: ['/a/*'] }], get('/a/b/c'), 'no_route'],
    ['a star is not none', [{ paths: ['/a/*'] }], get('/a'), 'no_route'],
    ['a star is not empty', [{ paths: ['/a/*'] }], get('/a/'), 'no_route'],
    ['a star before a slash', [{ paths: ['/a/*/'] }], get('/a/b/'), 0],
    ['a trailing slash is significant', [{ paths: ['/a'] }], get('/a/'), 'no_route'],
    ['a trailing slash in the pattern, too', [{ paths: ['/a/'] }], get('/a'), 'no_route'],
    ['paths have case', [{ paths: ['/Admin'] }], get('/admin'), 'no_route'],
    ['an encoded letter is the letter', [{ paths: ['/admin'] }, { paths: ['/**'] }], get('/%61dmin'), 0],
    ['an encoded pattern is the letter', [{ paths: ['/%61dmin'] }], get('/admin'), 0],
    ['a pattern in Unicode', [{ paths: ['/caf\u00e9'] }], get('/caf%C3%A9'), 0],
    ['an encoded star is no star', [{ paths: ['/%2A'] }], get('/x'), 'no_route'],
    ['a path that is a star', [{ paths: ['/%2A'] }], get('/*'), 0],
    ['one of several paths', [{ paths: ['/a', '/b'] }], get('/b'), 0],
    ['no paths: any path', [{ methods: ['GET'] }], get('/x/y'), 0],
    ['an empty list matches nothing', [{ paths: [] }], get('/x'), 'no_route'],
    ['no routes', [], get('/x'), 'no_route'],
    ['an ambiguous path', [{ paths: ['/**'] }], get('/a/../b'), 'ambiguous_path'],
    ['the path of OPTIONS *', [{ paths: ['/**'] }], ['OPTIONS', 'a', '*'], 'ambiguous_path'],
    ['methods', [{ methods: ['POST'] }, {}], ['POST', 'a', '/'], 0],
    ['another method', [{ methods: ['POST'] }, {}], ['GET', 'a', '/'], 1],
    ['HEAD where GET', [{ methods: ['GET'] }], ['HEAD', 'a', '/'], 0],
    ['GET not where HEAD', [{ methods: ['HEAD'] }], ['GET', 'a', '/'], 'no_route'],
    [
      'a method in lower case is judged as its upper one',
      [{ methods: ['DELETE'] }, {}],
      ['delete', 'a', '/'],
      0,
    ],
    ['a method that upper-cases to ASCII', [{ methods: ['POST'] }, {}], ['PO\u017fT', 'a', '/'], 1],
    ['CONNECT matches what matches all', [{ paths: ['/'] }, { paths: ['/**'] }], ['CONNECT', 'a:443', ''], 1],
    ['CONNECT does not match a path', [{ paths: ['/', '/*'] }], ['CONNECT', 'a:443', ''], 'no_route'],
    ['an empty path of another method', [{}], ['GET', 'a', ''], 'ambiguous_path'],
    ['a host', [{ hosts: ['api.example.com'] }], get('/'), 0],
    [
      'a host without case, port and dot',
      [{ hosts: ['api.example.com'] }],
      get('/', 'API.example.com.:8443'),
      0,
    ],
    ['a host of the pattern likewise', [{ hosts: ['API.example.com.:1'] }], get('/'), 0],
    ['another host', [{ hosts: ['api.example.com'] }], get('/', 'www.example.com'), 'no_route'],
    ['a suffix', [{ hosts: ['*.example.com'] }], get('/'), 0],
    ['a suffix, deeper', [{ hosts: ['*.example.com'] }], get('/', 'a.b.example.com'), 0],
    ['a suffix is not the name', [{ hosts: ['*.example.com'] }], get('/', 'example.com'), 'no_route'],
    [
      'a suffix is no end of letters',
      [{ hosts: ['*.example.com'] }],
      get('/', 'evilexample.com'),
      'no_route',
    ],
    [
      'the earlier of suffix and name',
      [{ hosts: ['*.example.com'] }, { hosts: ['api.example.com'] }],
      get('/'),
      0,
    ],
    ['the earlier of any and name', [{}, { hosts: ['api.example.com'] }], get('/'), 0],
    ['any host', [{ hosts: ['*'] }], get('/', 'a,b'), 0],
    ['two hosts joined', [{ hosts: ['api.example.com'] }, {}], get('/', 'api.example.com,x'), 'invalid_host'],
    ['an empty host', [{ hosts: ['api.example.com'] }, {}], get('/', ''), 'invalid_host'],
    ['a bad host where nobody looks', [{}], get('/', 'a,b'), 0],
  ])('%s', (_, routes, asked, expected) => {
    expect(matchOf(routes, asked)).toEqual(expected);
  });

  test('gives named segments, decoded', () => {
    const router = routerOf([{ paths: ['/users/{id}/files/{name}'] }]);
    const match = router.match({ method: 'GET', host: 'a', path: '/users/al%20ice/files/caf%C3%A9' });
    expect({ ...match.params }).toEqual({ id: 'al ice', name: 'caf\u00e9' });
    expect(Object.getPrototypeOf(match.params)).toBeNull();
  });

  test('gives the names of the route that matched, not of another with the same shape', () => {
    const router = routerOf([{ paths: ['/u/{user}'], methods: ['PUT'] }, { paths: ['/u/{id}'] }]);
    expect({ ...router.match({ method: 'GET', host: 'a', path: '/u/1' }).params }).toEqual({ id: '1' });
    expect({ ...router.match({ method: 'PUT', host: 'a', path: '/u/1' }).params }).toEqual({ user: '1' });
  });

  test('finds one of 10,000 routes', () => {
    const router = routerOf(Array.from({ length: 10_000 }, (_, i) => ({ paths: [`/svc-${i}/{id}/**`] })));
    expect(router.match({ method: 'GET', host: 'a', path: '/svc-9999/1/x' }).policy.name).toBe('9999');
  });
});

// ---- properties ------------------------------------------------------------------------------------------------------

/** Few letters, so that patterns and paths meet often. */
const word = fc.constantFrom('a', 'b', 'c');
const patternArbitrary = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: word }, fc.constantFrom('*', '{x}')), { maxLength: 4 }),
    fc.constantFrom('', '/**', '/'),
  )
  .map(([segments, end]) => {
    const named = segments.map((segment, i) => (segment === '{x}' ? `{x${i}}` : segment));
    return named.length === 0 ? (end === '' ? '/' : end) : `/${named.join('/')}${end}`;
  });
const hostPattern = fc.constantFrom('a.test', 'b.a.test', '*.a.test', '*.test', '*', 'A.test:80');
const methodArbitrary = fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS');
const routeArbitrary: fc.Arbitrary<RoutePattern> = fc.record(
  {
    hosts: fc.array(hostPattern, { minLength: 1, maxLength: 2 }),
    paths: fc.array(patternArbitrary, { minLength: 1, maxLength: 3 }),
    methods: fc.array(methodArbitrary, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const pathArbitrary = fc
  .tuple(fc.array(word, { maxLength: 5 }), fc.boolean())
  .map(([segments, slash]) => (segments.length === 0 ? '/' : `/${segments.join('/')}${slash ? '/' : ''}`));
const hostArbitrary = fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'test', 'A.TEST.:1', 'x');

/** What the documentation says, in the most naive words. */
function naiveMatch(routes: readonly RoutePattern[], [method, host, path]: Asked): unknown {
  const name = host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  const index = routes.findIndex(
    ({ hosts, paths, methods }) =>
      (hosts === undefined || hosts.some((pattern) => naiveHost(pattern, name))) &&
      (paths === undefined || paths.some((pattern) => naivePath(pattern, path))) &&
      (methods === undefined || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))),
  );
  return index < 0 ? 'no_route' : index;
}

function naiveHost(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  const name = pattern.toLowerCase().replace(/:\d+$/, '');
  return name.startsWith('*.')
    ? host.endsWith(name.slice(1)) && host.length > name.length - 1
    : host === name;
}

function naivePath(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/\/\*\*$/, '(?:/.*)?')
    .replace(/\/\*(?=\/|$)/g, '/[^/]+')
    .replace(/\/\*(?=\/|\()/g, '/[^/]+')
    .replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${source}$`).test(path);
}

describe('createRouter() properties', () => {
  test('equals a naive matcher', () => {
    fc.assert(
      fc.property(
        fc.array(routeArbitrary, { maxLength: 8 }),
        methodArbitrary,
        hostArbitrary,
        pathArbitrary,
        (routes, method, host, path) => {
          expect(matchOf(routes, [method, host, path])).toEqual(naiveMatch(routes, [method, host, path]));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('no mutation of a path reaches another route than its normal form does', () => {
    fc.assert(
      fc.property(
        fc.array(routeArbitrary, { minLength: 1, maxLength: 8 }),
        pathArbitrary,
        mutationsArbitrary,
        (routes, path, mutations) => {
          const mutated = mutations.reduce((text, mutate) => mutate(text), path);
          const asked = matchOf(routes, ['GET', 'a.test', mutated]);
          if (asked === 'ambiguous_path') return;
          expect(asked).toEqual(naiveMatch(routes, ['GET', 'a.test', lazyUpstreamPath(mutated)]));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

/** What an upstream makes of a path that decodes, drops parameters and NUL, turns backslashes and resolves dots. */
function lazyUpstreamPath(path: string): string {
  const decoded = Buffer.from(
    path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
  const plain = decoded
    .replaceAll('\\', '/')
    .replace(/;[^/]*/g, '')
    .split('\u0000', 1)
    .join('')
    .replace(/\/{2,}/g, '/');
  const slash = plain.endsWith('/') && plain !== '/';
  // The parser would decode once more: what is left of `%252e` is the text `%2e`, and no dot.
  const escaped = plain.replaceAll('%', '%25').replaceAll('?', '%3f').replaceAll('#', '%23');
  const resolved = new URL(`http://x${escaped}`).pathname.replaceAll('%25', '%');
  return slash || resolved === '/' ? resolved : resolved.replace(/\/$/, '');
}

const at = (path: string, position: number, insert: string): string =>
  path.slice(0, position) + insert + path.slice(position);
const mutationsArbitrary = fc.array(
  fc.oneof(
    fc
      .tuple(
        fc.nat(8),
        fc.constantFrom(
          '/',
          '/.',
          '/..',
          '\\',
          '%2f',
          '%2F',
          '%5c',
          ';',
          ';x',
          '..;',
          '%2e',
          '%2e%2e/',
          '%00',
          '%',
          '.',
          '/../a',
          '%c0%af',
          '\u0000',
          '%3b',
        ),
      )
      .map(
        ([position, text]) =>
          (path: string) =>
            at(path, Math.min(position, path.length), text),
      ),
    fc.nat(8).map((position) => (path: string) => {
      const i = Math.min(position, path.length - 1);
      const char = path[i] ?? '/';
      return `${path.slice(0, i)}%${char.charCodeAt(0).toString(16).padStart(2, '0')}${path.slice(i + 1)}`;
    }),
  ),
  { minLength: 1, maxLength: 3 },
);

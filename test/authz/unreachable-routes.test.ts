import { describe, expect, test } from '@jest/globals';
import type { RoutePattern } from '../../src/authz/routes.js';
import { unreachableRoutes } from '../../src/authz/unreachable-routes.js';

describe('unreachableRoutes()', () => {
  test.each<[string, RoutePattern[], [number, number[]][]]>([
    ['none', [{ paths: ['/a'] }, { paths: ['/**'] }], []],
    ['after the rest', [{ paths: ['/**'] }, { paths: ['/a'] }], [[1, [0]]]],
    ['after a rest above', [{ paths: ['/a/**'] }, { paths: ['/a/b/**', '/a'] }], [[1, [0]]]],
    ['half of it is left', [{ paths: ['/a/**'] }, { paths: ['/a/b', '/b'] }], []],
    ['by two routes', [{ paths: ['/a/**'] }, { paths: ['/b'] }, { paths: ['/a/b', '/b'] }], [[2, [0, 1]]]],
    ['the same again', [{ paths: ['/a/*'] }, { paths: ['/a/{id}'] }], [[1, [0]]]],
    ['a literal under a star', [{ paths: ['/*/b'] }, { paths: ['/a/b'] }], [[1, [0]]]],
    ['a star is not under a literal', [{ paths: ['/a'] }, { paths: ['/*'] }], []],
    ['a trailing slash is not under a star', [{ paths: ['/a/*'] }, { paths: ['/a/'] }], []],
    ['methods that are left', [{ methods: ['GET'] }, { methods: ['GET', 'POST'] }], []],
    ['methods that are taken', [{ methods: ['GET', 'POST'] }, { methods: ['HEAD'] }], [[1, [0]]]],
    ['all methods', [{ methods: ['GET'] }, {}], []],
    ['a host under a suffix', [{ hosts: ['*.a.test'] }, { hosts: ['b.a.test'] }], [[1, [0]]]],
    ['a suffix under a suffix', [{ hosts: ['*.test'] }, { hosts: ['*.a.test'] }], [[1, [0]]]],
    ['a suffix is not under itself lower', [{ hosts: ['*.a.test'] }, { hosts: ['*.test'] }], []],
    ['a host under all', [{}, { hosts: ['a.test'] }], [[1, [0]]]],
    ['all is not under a host', [{ hosts: ['a.test'] }, {}], []],
    ['one host is left', [{ hosts: ['a.test'] }, { hosts: ['a.test', 'b.test'] }], []],
    ['a host in other letters', [{ hosts: ['a.test'] }, { hosts: ['A.TEST.'] }], [[1, [0]]]],
  ])('%s', (_, routes, expected) => {
    expect(unreachableRoutes(routes)).toEqual(expected.map(([index, shadowedBy]) => ({ index, shadowedBy })));
  });

  test('looks through 10,000 routes', () => {
    const routes = Array.from({ length: 10_000 }, (_, i) => ({ paths: [`/${i}/{id}`, `/${i}/x/**`] }));
    expect(unreachableRoutes([...routes, { paths: ['/5/y'] }])).toEqual([{ index: 10_000, shadowedBy: [5] }]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { lenientSpellings } from '../../src/config/lenient-spellings.js';

type Routes = Parameters<typeof lenientSpellings>[0];

const policies: Parameters<typeof lenientSpellings>[1] = {
  admin: { access: 'required', roles: { any: ['admin'], claims: ['roles'] } },
  both: { access: 'required', roles: { any: ['admin'], claims: ['roles'] }, scopes: { all: ['a'] } },
  user: { access: 'required' },
  open: { access: 'anonymous' },
};
const find = (routes: Routes): string[] =>
  lenientSpellings(routes, policies).map(({ index, path, judgedBy }) => `${index} ${path} ${judgedBy}`);

describe('lenientSpellings() finds', () => {
  test.each<[name: string, routes: Routes, found: string[]]>([
    [
      'another case',
      [
        { paths: ['/admin/**'], policy: 'admin' },
        { paths: ['/**'], policy: 'user' },
      ],
      ['0 /Admin 1'],
    ],
    [
      'a final slash',
      [
        { paths: ['/1'], policy: 'admin' },
        { paths: ['/**'], policy: 'open' },
      ],
      ['0 /1/ 1'],
    ],
    [
      'it for the host and method of the route',
      [
        { hosts: ['a.example'], methods: ['POST'], paths: ['/admin/**'], policy: 'admin' },
        { hosts: ['b.example'], policy: 'open' },
        { hosts: ['a.example'], methods: ['GET'], policy: 'open' },
      ],
      [],
    ],
    [
      'nothing where the later route asks for as much',
      [
        { paths: ['/admin/**'], policy: 'admin' },
        { paths: ['/**'], policy: 'both' },
      ],
      [],
    ],
    [
      'nothing where a stricter route comes in between',
      [
        { paths: ['/admin/**'], policy: 'admin' },
        { paths: ['/*/**'], policy: 'admin' },
        { paths: ['/**'], policy: 'open' },
      ],
      [],
    ],
    ['nothing where no other route follows', [{ paths: ['/admin/**'], policy: 'admin' }], []],
    ['nothing for a route of all paths', [{ policy: 'admin' }], []],
    [
      'nothing where the earlier route is the laxer one',
      [
        { paths: ['/public/**'], policy: 'open' },
        { paths: ['/**'], policy: 'user' },
      ],
      [],
    ],
  ])('%s', (_name, routes, found) => expect(find(routes)).toEqual(found));
});

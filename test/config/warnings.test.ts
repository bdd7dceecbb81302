import { describe, expect, test } from '@jest/globals';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { type Draft, ISSUER, read, withoutPosition } from './config-file.js';

const warningsOf = (draft: Draft): string[] => read(draft).warnings.map(withoutPosition);
const keys = JSON.stringify(await generateSigningKeys('EdDSA'));
const tokens = { issuer: 'https://gate.example', keys };

describe('warningsOf() tells of', () => {
  test.each<[name: string, draft: Draft, warning: RegExp]>([
    [
      'a route that can never match',
      {
        routes: [
          { paths: ['/**'], policy: 'default' },
          { paths: ['/a'], policy: 'default' },
        ],
      },
      /^routes\[1\]: can never match: routes\[0\] /,
    ],
    ['an admin port that others reach', { server: { admin: '0.0.0.0:9192' } }, /^server\.admin: .*loopback/],
    [
      'the lean transport for everybody',
      { server: { grpc: '0.0.0.0:9191', transport: 'lean' } },
      /^server\.transport: .*mTLS/,
    ],
    [
      'failures that Envoy judges',
      { server: { failure: 'error' } },
      /^server\.failure: .*failure_mode_allow/,
    ],
    [
      'an HTTP front that believes nobody',
      { server: { http: { address: '127.0.0.1:9194', style: 'nginx' } } },
      /^server\.http\.trustedProxies: names nobody/,
    ],
    [
      'an HTTP front that believes everybody',
      {
        server: { http: { address: '127.0.0.1:9194', style: 'nginx', trustedProxies: ['::1', '0.0.0.0/0'] } },
      },
      /^server\.http\.trustedProxies\[1\]: believes everybody/,
    ],
    [
      'tokens in the query behind an HTTP front',
      {
        server: { http: { address: '127.0.0.1:9194', style: 'nginx', trustedProxies: ['::1'] } },
        credentials: [{ query: 'access_token' }],
      },
      /^server\.http: .*x-portcullis-target/,
    ],
    ['plain http', { jwks: { allowHttp: true } }, /^jwks\.allowHttp: /],
    [
      'proofs in memory beside other replicas',
      { server: { workers: 2 } },
      /^replay\.store: .*other replicas/,
    ],
    ['proofs that may be replayed', { replay: { onUnavailable: 'allow' } }, /^replay\.onUnavailable: /],
    ['a redis that is not used', { redis: { url: 'redis://h' } }, /^redis: is not used/],
    [
      'a weak nonce secret',
      { dpop: { nonce: { mode: 'required', secrets: ['x'.repeat(16)] } } },
      /^dpop\.nonce\.secrets\[0\]: .*32 bytes/,
    ],
    [
      'a constraint that nothing meets',
      { dpop: { mode: 'off' }, policies: { p: { senderConstraint: 'dpop' } } },
      /^policies\.p\.senderConstraint: /,
    ],
    ['nobody whose tokens are accepted', { issuers: [], tokens }, /^issuers: no token is accepted/],
    [
      'an entry for our own issuer',
      { issuers: [{ ...ISSUER, issuer: 'https://gate.example' }], tokens: { ...tokens, direct: true } },
      /^issuers\[0\]: is not used/,
    ],
    [
      'tokens that nobody can get',
      { tokens: { ...tokens, store: { type: 'sqlite', path: 'x.db' } } },
      /^tokens: no token can be had/,
    ],
    [
      'keys that upstreams cannot fetch',
      { tokens, identity: { token: {} } },
      /^identity\.token: .*server\.public/,
    ],
    [
      'a default that lets everybody in',
      { policies: { default: { access: 'anonymous' } } },
      /^policies\.default: lets every request pass without a token, since there are no routes/,
    ],
    [
      'a default for authorities that are not configured',
      {
        policies: { admin: { roles: { any: ['admin'] } } },
        server: { authorities: { 'admin.internal': 'admin' } },
      },
      /^server\.authorities: .* any other :authority .* policy default, .* less than policy admin/,
    ],
    [
      'requirements that leaving out the token passes',
      { policies: { p: { access: 'optional', scopes: { all: ['a'] }, senderConstraint: 'dpop' } } },
      /^policies\.p: access optional lets a request without a token pass; scopes, senderConstraint apply/,
    ],
    [
      'spellings of a path that a laxer route judges',
      {
        policies: { admin: { roles: { any: ['admin'] } } },
        routes: [
          { paths: ['/admin/**'], policy: 'admin' },
          { paths: ['/**'], policy: 'default' },
        ],
      },
      /^routes: .* asks for less judges \/Admin \(routes\[0\] → routes\[1\], policy default\); /,
    ],
    ['keys that sign nothing', { tokens }, /^tokens: nothing is signed/],
  ])('%s', (_name, draft, warning) => {
    expect(warningsOf(draft).filter((line) => warning.test(line))).toHaveLength(1);
  });

  test.each<[name: string, draft: Draft]>([
    ['a good file', {}],
    ['workers without DPoP', { server: { workers: 2 }, dpop: { mode: 'off' } }],
    [
      'workers with redis',
      { server: { workers: 2 }, replay: { store: 'redis' }, redis: { url: 'redis://h' } },
    ],
    [
      'a default that refuses what no authority names',
      {
        policies: { default: { when: 'false' }, admin: { roles: { any: ['admin'] } } },
        server: { authorities: { 'admin.internal': 'admin' } },
      },
    ],
    ['optional access that asks for nothing', { policies: { p: { access: 'optional' } } }],
    ['an identity token', { server: { public: '0.0.0.0:9193' }, tokens, identity: { token: {} } }],
  ])('nothing for %s', (_name, draft) => expect(warningsOf(draft)).toEqual([]));
});

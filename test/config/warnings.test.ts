import { describe, expect, test } from '@jest/globals';
import { generateSigningKeys } from '../../src/cli/keys.js';
import { formatProblem } from '../../src/config/problems.js';
import { type Draft, read } from './config-file.js';

const warningsOf = (draft: Draft): string[] => read(draft).warnings.map(formatProblem);
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
      'failures that Envoy judges',
      { server: { failure: 'error' } },
      /^server\.failure: .*failure_mode_allow/,
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
    [
      'a store that is not used yet',
      { tokens: { ...tokens, store: { type: 'sqlite', path: 'x.db' } } },
      /^tokens\.store: not used yet: personal access tokens are not supported yet/,
    ],
    [
      'keys that upstreams can not fetch',
      { tokens, identity: { token: {} } },
      /^identity\.token: .*server\.public/,
    ],
    ['keys that sign nothing', { tokens }, /^tokens: nothing is signed/],
  ])('%s', (_name, draft, warning) => {
    expect(warningsOf(draft).filter((line) => warning.test(line))).toHaveLength(1);
  });

  test.each<[name: string, draft: Draft]>([
    ['a good file', {}],
    ['an admin socket', { server: { admin: 'unix:/run/admin.sock' } }],
    ['workers without DPoP', { server: { workers: 2 }, dpop: { mode: 'off' } }],
    [
      'workers with redis',
      { server: { workers: 2 }, replay: { store: 'redis' }, redis: { url: 'redis://h' } },
    ],
    ['an identity token', { server: { public: '0.0.0.0:9193' }, tokens, identity: { token: {} } }],
  ])('nothing for %s', (_name, draft) => expect(warningsOf(draft)).toEqual([]));
});

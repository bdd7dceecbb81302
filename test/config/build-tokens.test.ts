import { beforeAll, describe, expect, test } from '@jest/globals';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { problemsOf, read } from './config-file.js';

let keys: string;
beforeAll(async () => {
  keys = JSON.stringify(await generateSigningKeys('EdDSA', 'k'));
});

const tokensOf = (more: object) =>
  read({ tokens: { issuer: 'https://g.example', keys, ...more } }).config.tokens;

describe('buildTokens()', () => {
  test('issuer and keys alone: identity tokens can be signed, and nothing is issued', () => {
    expect(tokensOf({})).toMatchObject({ audiences: ['https://g.example'], service: undefined });
  });

  test('issuer and keys alone, with a port to get tokens at and no identity token: the service is there', () => {
    const server = { public: '127.0.0.1:9193' };
    const tokens = { issuer: 'https://g.example', keys };
    expect(read({ server, tokens }).config.tokens?.service).toMatchObject({ grants: ['client_credentials'] });
    const identity = { token: { header: 'x-portcullis-identity', audience: 'upstream' } };
    expect(read({ server, tokens, identity }).config.tokens?.service).toBeUndefined();
  });

  test.each([
    ['an empty list', { issuers: [] }],
    ['no list', { issuers: undefined }],
  ])('%s of issuers is enough with tokens, and not without', (_, draft) => {
    const tokens = { issuer: 'https://g.example', keys, direct: true };
    expect(read({ ...draft, tokens }).config.issuers).toEqual([]);
    expect(problemsOf(draft)).toEqual([expect.stringMatching(/^issuers: .*a list with at least one issuer/)]);
  });

  test('an identity assertion cannot be reusable', () => {
    const rule = { issuer: 'https://a.example', client: 'c', profile: 'id-jag', reusable: true };
    const tokens = { issuer: 'https://g.example', keys, grants: ['jwt_bearer'], trust: [rule] };
    expect(problemsOf({ tokens })).toEqual([
      expect.stringMatching(/^tokens\.trust\[0\]\.reusable: must not/),
    ]);
  });

  test('defaults of the service', () => {
    expect(tokensOf({ store: { type: 'sqlite' } })?.service).toMatchObject({
      ttl: 3_600_000,
      format: 'jwt',
      prefix: 'pat_',
      direct: false,
      grants: ['client_credentials'],
      store: { type: 'sqlite', path: '/etc/gate/portcullis.db' },
      scrypt: { cost: 32768, blockSize: 8, parallelization: 1, concurrency: 2, queue: 64 },
      limits: { failures: 10, window: 60_000 },
      admin: true,
      trust: [],
    });
  });

  test('paths are absolute, and a rule has its audience and its source', () => {
    const service = tokensOf({
      grants: ['jwt_bearer'],
      clients: { dir: './clients' },
      trust: [
        { issuer: 'https://a.example', subject: 's', client: 'c' },
        { issuer: 'https://b.example', profile: 'id-jag', client: 'd', jwksUri: 'https://b.example/jwks' },
      ],
    })?.service;
    expect(service?.clients).toEqual({ claim: 'iss', dir: '/etc/gate/clients' });
    expect(service?.trust).toMatchObject([
      { audience: 'https://g.example', profile: 'workload', source: undefined, scopes: [], claims: {} },
      { profile: 'id-jag', source: { kind: 'jwksUri', jwksUri: 'https://b.example/jwks' } },
    ]);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problems.js';
import { type Draft, ISSUER, pemPair, problemsOf, read } from './config-file.js';

const ec = pemPair('ec');

describe('loadConfig() fills in', () => {
  test('the defaults of the contract', () => {
    const { config, warnings } = read({});
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      server: {
        grpc: '127.0.0.1:9191',
        admin: '127.0.0.1:9192',
        authorities: {},
        workers: 1,
        limits: { concurrentChecks: 1000, maxMessageBytes: 1_048_576, eventLoopDelay: 50 },
        failure: 'deny',
        drainTimeout: 10_000,
      },
      issuers: [
        {
          ...ISSUER,
          discovery: true,
          profile: 'compatible',
          clockTolerance: 30_000,
          maxLifetime: 86_400_000,
        },
      ],
      jwks: {
        maxIssuers: 1000,
        minTtl: 60_000,
        maxTtl: 3_600_000,
        cooldown: 30_000,
        staleIfError: 86_400_000,
        timeout: 5_000,
        maxBytes: 1_048_576,
        allowHttp: false,
      },
      credentials: [{ header: 'authorization' }],
      multipleCredentials: 'reject',
      maxTokenBytes: 8192,
      tokenCache: { maxEntries: 100_000, maxBytes: 67_108_864 },
      dpop: {
        mode: 'optional',
        algorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'],
        maxAge: 60_000,
        clockTolerance: 10_000,
        nonce: { mode: 'off', secrets: [], lifetime: 300_000 },
      },
      replay: { store: 'memory', maxEntries: 1_000_000, onUnavailable: 'deny', beforeStart: 'refuse' },
      mtls: { certificate: 'envoy' },
      policies: { default: { access: 'required', corsPreflight: 'deny', errors: 'oauth', consume: true } },
      routes: [],
      identity: { headers: {}, credential: 'remove', metadata: true },
      log: { level: 'info', format: 'json', decisions: 'denied' },
    });
    expect([
      config.server.public,
      config.server.tls,
      config.dpop.origins,
      config.redis,
      config.tokens,
    ]).toEqual(Array.from({ length: 5 }));
  });

  test.each([
    [
      'asymmetric ones',
      {},
      ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    ],
    ['those of secrets alone', { keys: [{ alg: 'HS256', secret: 'x'.repeat(32) }] }, ['HS256']],
    [
      'both where there are both',
      { keys: [{ alg: 'HS512', secret: 'x'.repeat(64) }, { pem: ec.publicPem }] },
      ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS512'],
    ],
    ['nothing where they are given', { algorithms: ['ES256'] }, ['ES256']],
  ])('algorithms: %s', (_name, over: Draft, expected) => {
    expect(read({ issuers: [{ ...ISSUER, ...over }] }).config.issuers[0]?.algorithms).toEqual(expected);
  });

  test.each([
    ['off', 'off'],
    ['"off"', 'off'],
    ['optional', 'optional'],
  ])('dpop.mode: %s', (written, mode) => {
    expect(
      read(`issuers: [{issuer: "https://a.example", audiences: [x]}]\ndpop: { mode: ${written} }`).config.dpop
        .mode,
    ).toBe(mode);
  });

  test.each([
    [{ maxTtl: '0s' }, 0, 0],
    [{ maxTtl: '10s' }, 10_000, 10_000],
    [{ minTtl: '5s' }, 5_000, 3_600_000],
  ])('key set lifetimes of %j', (jwks, minTtl, maxTtl) =>
    expect(read({ jwks }).config.jwks).toMatchObject({ minTtl, maxTtl }),
  );

  test('a policy default of its own stays', () => {
    expect(read({ policies: { default: { access: 'anonymous' } } }).config.policies.default?.access).toBe(
      'anonymous',
    );
  });
});

describe('loadConfig() brings into one form', () => {
  test('header names, origins, sockets, claims of headers', () => {
    const { config } = read({
      server: { grpc: 'unix:///run/gate.sock' },
      credentials: [{ header: 'X-Access-Token', prefix: 'Token ' }],
      dpop: { origins: ['HTTPS://API.example.com:443/'] },
      identity: { headers: { 'X-User': 'sub', 'x-roles': { claim: 'roles', as: 'csv' } } },
    });
    expect(config.server.grpc).toBe('unix:/run/gate.sock');
    expect(config.credentials).toEqual([{ header: 'x-access-token', prefix: 'Token ' }]);
    expect(config.dpop.origins).toEqual(['https://api.example.com']);
    expect(config.identity.headers).toEqual({
      'x-user': { claim: 'sub' },
      'x-roles': { claim: 'roles', as: 'csv' },
    });
  });

  test('files: read in, relative to the configuration', () => {
    const files = {
      '/etc/gate/keys/a.pem': ec.publicPem,
      '/etc/gate/set.json': JSON.stringify(SET),
      '/run/b.pem': ec.publicPem,
    };
    const { config, files: names } = read(
      {
        issuers: [
          { ...ISSUER, keys: [{ kid: 'a', file: './keys/a.pem' }, { pem: '${file:/run/b.pem}' }] },
          { ...ISSUER, issuer: 'https://b.example', jwks: 'set.json' },
          { ...ISSUER, issuer: 'https://c.example', jwks: '${file:set.json}' },
        ],
        jwks: { snapshotDir: './snapshots' },
      },
      { files },
    );
    expect(config.issuers[0]?.keys).toEqual([
      { kid: 'a', alg: undefined, pem: ec.publicPem },
      { kid: undefined, alg: undefined, pem: ec.publicPem.trim() },
    ]);
    expect(config.issuers[1]?.jwks).toEqual(SET);
    expect(config.issuers[2]?.jwks).toEqual(SET);
    expect(config.jwks.snapshotDir).toBe('/etc/gate/snapshots');
    expect([...names].sort()).toEqual(Object.keys(files).sort());
  });

  test('a frozen whole, without prototypes where keys are free', () => {
    const { config } = read({
      policies: { p: { claims: { a: ['b'] } } },
      server: { authorities: { a: 'p' } },
    });
    const everything: unknown[] = [config];
    for (const value of everything) {
      if (typeof value !== 'object' || value === null) continue;
      expect(Object.isFrozen(value)).toBe(true);
      everything.push(...Object.values(value));
    }
    for (const free of [
      config.policies,
      config.policies.p?.claims,
      config.server.authorities,
      config.identity.headers,
    ]) {
      expect(Object.getPrototypeOf(free)).toBeNull();
    }
    expect(config.policies.constructor).toBeUndefined();
  });
});

const SET = {
  keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
};

describe('loadConfig() accepts', () => {
  test.each([
    [
      'http on loopback',
      { issuers: [{ ...ISSUER, issuer: 'http://localhost:8080', jwksUri: 'http://127.0.0.1:1/j' }] },
    ],
    [
      'http everywhere with allowHttp',
      {
        issuers: [{ ...ISSUER, issuer: 'http://a.example', jwksUri: 'http://b.example/j' }],
        jwks: { allowHttp: true },
      },
    ],
    [
      'discovery: false beside a source',
      { issuers: [{ ...ISSUER, discovery: false, jwksUri: 'https://a.example/j' }] },
    ],
    ['a metadata URL', { issuers: [{ ...ISSUER, discovery: 'https://a.example/m' }] }],
    [
      'a key set with some useless keys',
      { issuers: [{ ...ISSUER, jwks: { keys: [...SET.keys, { kty: 'oct', k: 'AA' }] } }] },
    ],
    [
      'a store that is not used yet',
      { identity: {}, tokens: undefined, log: { format: 'text', decisions: 'all' } },
    ],
    [
      'a policy named constructor',
      { policies: { constructor: { access: 'optional' } }, routes: [{ policy: 'constructor' }] },
    ],
    ['a shadow of a shadow', { policies: { a: { shadow: 'b' }, b: { shadow: 'c' }, c: {} } }],
    ['direct: false and no token section otherwise', { server: { workers: 'auto', failure: 'error' } }],
    ['redis of every kind', { redis: { url: 'rediss://u:p@h:6380/0' }, replay: { store: 'redis' } }],
    ['the token header under x-portcullis-', { identity: { headers: { 'x-forwarded-user': 'sub' } } }],
  ])('%s', (_name, draft: Draft) => expect(problemsOf(draft)).toEqual([]));

  test('JSON', () => expect(problemsOf(JSON.stringify({ issuers: [ISSUER] }, null, '\t'))).toEqual([]));
});

describe('loadConfig() tells', () => {
  test('five mistakes of five kinds at once, a line each', () => {
    expect(
      problemsOf({
        nope: 1,
        dpop: { mode: 'sometimes' },
        redis: { url: '${env:MISSING}' },
        routes: [{ paths: ['/**'], policy: 'nope' }],
        policies: { p: { when: 'claims.a ==' } },
      }).map((line) => line.split(': ')[0]),
    ).toEqual(['redis.url', 'dpop.mode', 'nope', 'policies.p.when', 'routes[0].policy']);
  });

  test('nothing else of a value that is missing or refused as a whole', () => {
    expect(
      problemsOf({ dpop: { mode: '${env:M}' }, log: { x: 1 }, jwks: { timeout: '${file:/gone}' } }),
    ).toHaveLength(3);
  });

  test('nothing of what is below a key that is given twice', () => {
    expect(
      problemsOf('issuers: [{issuer: "https://a.example", audiences: [x]}]\ndpop: {}\ndpop: { mode: 5 }'),
    ).toEqual(['dpop: is given twice; a key may be given once']);
  });

  const SECRET = 'top-secret-value-123';
  // Every key of the file that takes text, filled from the environment with something that is wrong there.
  const PLACES: readonly Draft[] = [
    {
      server: {
        grpc: '${env:S}',
        admin: 'x${env:S}',
        tls: { cert: '${env:S}', key: '${env:S}', clientCa: '${env:S}' },
        authorities: { a: '${env:S}' },
        failure: '${env:S}',
        drainTimeout: '${env:S}',
        limits: { maxMessageBytes: '${env:S}' },
        workers: '${env:S}',
      },
    },
    {
      issuers: [
        {
          issuer: '${env:S}',
          audiences: '${env:S}',
          discovery: '${env:S}',
          jwksUri: '${env:S}',
          jwks: '${env:S}',
          keys: [
            { alg: '${env:S}', pem: '${env:S}' },
            { file: '${env:S}' },
            { alg: 'HS512', secret: '${env:S}' },
          ],
          algorithms: ['${env:S}'],
          profile: '${env:S}',
          maxLifetime: '${env:S}',
        },
      ],
    },
    {
      credentials: [{ header: '${env:S} ', cookie: '${env:S}' }, '${env:S}'],
      multipleCredentials: '${env:S}',
      maxTokenBytes: '${env:S}',
    },
    {
      dpop: {
        mode: '${env:S}',
        algorithms: ['${env:S}'],
        origins: ['${env:S}'],
        nonce: { mode: '${env:S}', secrets: ['${env:SHORT}'] },
      },
      redis: { url: '${env:S}' },
    },
    {
      policies: {
        p: {
          access: '${env:S}',
          issuers: ['${env:S}'],
          when: '"${env:S}" ${env:S}',
          shadow: '${env:S}',
          scopes: '${env:S}',
          cors: { origins: ['${env:S}'] },
          claims: '${env:S}',
        },
        q: { when: '${env:S}' },
      },
    },
    {
      routes: [
        {
          paths: ['${env:S}', '/../${env:S}'],
          hosts: ['${env:S}/'],
          methods: ['${env:S}'],
          policy: '${env:S}',
        },
      ],
    },
    {
      identity: {
        headers: { a: { claim: 'x', as: '${env:S}' } },
        credential: '${env:S}',
        token: { header: '${env:S} x', ttl: '${env:S}' },
      },
      tokens: { issuer: '${env:S}', keys: '${env:S}', store: { type: '${env:S}' } },
      log: '${env:S}',
    },
  ];

  test.each(PLACES.map((draft) => [Object.keys(draft).join(', '), draft] as const))(
    'no value in %s',
    (_name, draft) => {
      const lines = problemsOf(draft, { env: { S: SECRET, SHORT: 'top-secret' } });
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.join('\n')).not.toContain('top-secret');
      // The same values, written into the file itself.
      const literal = JSON.parse(
        JSON.stringify(draft).replaceAll('${env:S}', SECRET).replaceAll('${env:SHORT}', 'top-secret'),
      ) as Draft;
      expect(
        problemsOf(literal)
          .join('\n')
          .replace(/CEL expression that compiles.*/g, ''),
      ).not.toContain('top-secret');
    },
  );

  test('a file that cannot be read, by its name', () => {
    expect(() => loadConfig('/nonexistent/gate.yaml')).toThrow(
      new ConfigError([{ path: '/nonexistent/gate.yaml', text: 'does not exist' }]),
    );
    expect(() => loadConfig('/etc')).toThrow(/is a folder/);
  });

  test('a file without end', () => expect(() => loadConfig('/dev/zero')).toThrow(/larger than/));

  test('which files took part, even those that were missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gate-'));
    const file = join(folder, 'gate.yaml');
    writeFileSync(file, 'redis: { url: "${file:./url}" }');
    try {
      loadConfig(file);
      throw new Error('accepted');
    } catch (error) {
      expect((error as ConfigError).files).toEqual([file, join(folder, 'url')]);
    }
  });

  test('the environment of the process where none is lent', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gate-'));
    writeFileSync(
      join(folder, 'gate.yaml'),
      'issuers: [{ issuer: "https://${env:GATE_TEST_HOST}", audiences: [x] }]',
    );
    process.env.GATE_TEST_HOST = 'from-env.example';
    try {
      expect(loadConfig(join(folder, 'gate.yaml')).config.issuers[0]?.issuer).toBe(
        'https://from-env.example',
      );
    } finally {
      delete process.env.GATE_TEST_HOST;
    }
  });
});

describe('PORTCULLIS_GRPC', () => {
  test.each<[string, Draft, string]>([
    ['is the default of server.grpc', {}, '0.0.0.0:9191'],
    ['is it beside other keys', { server: { workers: 2 } }, '0.0.0.0:9191'],
    ['gives way to the file', { server: { grpc: '127.0.0.1:1' } }, '127.0.0.1:1'],
  ])('%s', (_name, draft, grpc) => {
    expect(read(draft, { env: { PORTCULLIS_GRPC: '0.0.0.0:9191' } }).config.server.grpc).toBe(grpc);
  });

  test('is checked like the file', () => {
    expect(problemsOf({}, { env: { PORTCULLIS_GRPC: 'nowhere' } })).toEqual([
      expect.stringMatching(/^server\.grpc: must be host:port/),
    ]);
  });
});

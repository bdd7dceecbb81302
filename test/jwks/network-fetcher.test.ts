import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpClient, type HttpClient } from '../../src/http/bounded-client.js';
import { wellKnownUrls } from '../../src/jwks/discovery.js';
import { createNetworkFetcher } from '../../src/jwks/network-fetcher.js';
import type { FetchedKeySet, KeySetFetcher, KeySetRequest } from '../../src/jwks/ports.js';
import {
  answersStatus,
  answersText,
  type Behaviour,
  drips,
  FakeIssuer,
  gzipBomb,
  hangs,
  neverEnds,
  redirects,
} from '../support/fake-issuer.js';
import { FakeTime } from '../support/fake-time.js';

const settings = {
  minTtlMs: 60_000,
  maxTtlMs: 3_600_000,
  cooldownMs: 30_000,
  staleIfErrorMs: 86_400_000,
  timeoutMs: 10_000,
  maxBytes: 100_000,
  allowHttp: false,
};
let issuer: FakeIssuer;
let trap: FakeIssuer;
let http: HttpClient;
let time: FakeTime;
let fetcher: KeySetFetcher;

beforeAll(async () => {
  trap = await FakeIssuer.start();
  http = createHttpClient(settings);
});
afterAll(async () => {
  await trap.stop();
  await http.close();
});
beforeEach(async () => {
  issuer = await FakeIssuer.start();
  time = new FakeTime();
  fetcher = createNetworkFetcher(http, { clock: time });
});
afterEach(async () => {
  await issuer.stop();
  expect(trap.total).toBe(0);
});

const fetch = (request: Partial<KeySetRequest> = {}): Promise<FetchedKeySet> =>
  fetcher.fetch({
    issuer: issuer.issuer,
    source: { kind: 'discovery' },
    settings,
    rediscover: false,
    ...request,
  });
const fromUri = (request: Partial<KeySetRequest> = {}): Promise<FetchedKeySet> =>
  fetch({ source: { kind: 'jwksUri', jwksUri: issuer.jwksUri }, ...request });

describe('wellKnownUrls()', () => {
  test.each([
    ['without path', 'https://a.example', '', ''],
    ['with a final slash', 'https://a.example/', '', ''],
    ['with a path', 'https://a.example/tenant/1', '/tenant/1', ''],
    ['with a path and a final slash', 'https://a.example/tenant/', '/tenant', ''],
    ['with a port', 'https://a.example:8443/t', '/t', ':8443'],
  ])('of an issuer %s', (_name, id, path, port) => {
    expect(wellKnownUrls(id)).toEqual([
      `https://a.example${port}${path}/.well-known/openid-configuration`,
      `https://a.example${port}/.well-known/oauth-authorization-server${path}`,
    ]);
  });

  test.each(['not a url', 'https://a.example?x=1', 'https://a.example#x'])('refuses %s', (id) => {
    expect(() => wellKnownUrls(id)).toThrow(expect.objectContaining({ code: 'invalid_metadata' }));
  });
});

describe('createNetworkFetcher() with discovery', () => {
  test('asks OpenID discovery, then for the key set', async () => {
    issuer.keys = [{ kid: 'k1' }];
    issuer.headers = { 'cache-control': 'max-age=300' };
    const startedAt = time.now();
    expect(await fetch()).toEqual({
      jwks: { keys: [{ kid: 'k1' }] },
      ttlMs: 300_000,
      fetchedAtMs: startedAt,
    });
    expect(issuer.hits).toEqual({ openid: 1, oauth: 0, jwks: 1, other: 0 });
  });

  test.each<[string, string]>([
    ['a path', '/tenant/1'],
    ['a path and a final slash', '/tenant/'],
    ['a final slash', '/'],
  ])('finds the metadata of an issuer with %s in both places', async (_name, path) => {
    const tenant = await FakeIssuer.start(path);
    await fetch({ issuer: tenant.issuer });
    tenant.behaviour.openid = answersStatus(404);
    await fetch({ issuer: tenant.issuer, rediscover: true });
    expect(tenant.hits).toEqual({ openid: 2, oauth: 1, jwks: 2, other: 0 });
    await tenant.stop();
  });

  test.each<[string, Behaviour]>([
    ['a missing page', answersStatus(404)],
    ['a page that needs a login', answersStatus(401)],
    ['a server error', answersStatus(500)],
    ['HTML', answersText('<html>', { 'content-type': 'text/html' })],
    ['broken JSON', answersText('{')],
    ['a redirect', (req, res) => redirects(trap.jwksUri)(req, res)],
  ])('falls back on RFC 8414 after %s', async (_name, behaviour) => {
    issuer.behaviour.openid = behaviour;
    await fetch();
    expect(issuer.hits).toEqual({ openid: 1, oauth: 1, jwks: 1, other: 0 });
  });

  test.each<[string, string, Behaviour]>([
    ['too much', 'too_large', neverEnds],
    ['a gzip bomb', 'too_large', gzipBomb(1_000_000)],
  ])('does not fall back after %s', async (_name, code, behaviour) => {
    issuer.behaviour.openid = behaviour;
    await expect(fetch()).rejects.toMatchObject({ code });
    expect(issuer.hits.oauth).toBe(0);
  });

  test('reports the first failure where both places fail', async () => {
    issuer.behaviour.openid = answersStatus(403);
    issuer.behaviour.oauth = answersStatus(404);
    await expect(fetch()).rejects.toMatchObject({ code: 'status', status: 403 });
  });

  test('asks a given metadata URL and no other', async () => {
    issuer.behaviour.oauth = answersStatus(404);
    const source = {
      kind: 'discovery',
      metadataUrl: `${issuer.origin}/.well-known/oauth-authorization-server`,
    } as const;
    await expect(fetch({ source })).rejects.toMatchObject({ code: 'status' });
    expect(issuer.hits).toEqual({ openid: 0, oauth: 1, jwks: 0, other: 0 });
  });

  test.each<[string, unknown]>([
    ['another issuer', 'https://evil.example'],
    ['the issuer with a slash more', undefined],
    ['no issuer', null],
    ['a list of issuers', ['https://a.example']],
  ])('refuses metadata with %s', async (_name, value) => {
    issuer.metadata = { issuer: value === undefined ? `${issuer.issuer}/` : value, jwks_uri: trap.jwksUri };
    await expect(fetch()).rejects.toMatchObject({
      code: 'issuer_mismatch',
      message: expect.stringMatching(/configured: (?:"https?:\/\/[^"]+"|it has no issuer)$/),
    });
    expect(issuer.hits.oauth).toBe(0);
  });

  test.each<[string, unknown, string]>([
    ['missing', undefined, 'invalid_metadata'],
    ['no text', 7, 'invalid_metadata'],
    ['relative', '/jwks', 'invalid_url'],
    ['a file', 'file:///etc/passwd', 'forbidden_scheme'],
    ['plain http elsewhere', 'http://issuer.example/jwks', 'forbidden_scheme'],
    ['the metadata service', 'https://169.254.169.254/latest/meta-data/', 'forbidden_address'],
    ['the metadata service in disguise', 'https://[::ffff:a9fe:a9fe]/', 'forbidden_address'],
    ['with user information', 'https://user:pass@issuer.example/jwks', 'invalid_url'],
  ])('refuses a jwks_uri that is %s', async (_name, jwksUri, code) => {
    issuer.metadata = { jwks_uri: jwksUri };
    await expect(fetch()).rejects.toMatchObject({ code });
    expect(issuer.hits.jwks).toBe(0);
  });

  test('takes a jwks_uri on another host', async () => {
    const elsewhere = await FakeIssuer.start();
    issuer.metadata = { jwks_uri: elsewhere.jwksUri };
    await fetch();
    expect(elsewhere.hits.jwks).toBe(1);
    await elsewhere.stop();
  });

  test('is not led from TLS to plain http', async () => {
    const secure: HttpClient = {
      getJson: () =>
        Promise.resolve({
          status: 200,
          headers: {},
          body: { issuer: issuer.issuer, jwks_uri: trap.jwksUri },
        }),
      postForm: () => Promise.reject(new Error('not used')),
      postBody: () => Promise.reject(new Error('unused')),
      close: () => Promise.resolve(),
    };
    fetcher = createNetworkFetcher(secure, { clock: time });
    const source = { kind: 'discovery', metadataUrl: 'https://issuer.example/metadata' } as const;
    await expect(fetch({ source })).rejects.toMatchObject({ code: 'forbidden_scheme' });
    await expect(fetch({ source, settings: { ...settings, allowHttp: true } })).resolves.toBeDefined();
  });

  test('remembers the metadata for its time', async () => {
    issuer.headers = { 'cache-control': 'max-age=300' };
    await fetch();
    await fetch();
    expect(issuer.hits).toMatchObject({ openid: 1, jwks: 2 });
    await time.advance(300_000);
    await fetch();
    expect(issuer.hits).toMatchObject({ openid: 2, jwks: 3 });
    await fetch({ rediscover: true });
    expect(issuer.hits).toMatchObject({ openid: 3, jwks: 4 });
  });

  test('asks for the metadata again after the key set could not be fetched', async () => {
    await fetch();
    issuer.behaviour.jwks = answersStatus(404);
    await expect(fetch()).rejects.toMatchObject({ code: 'status' });
    delete issuer.behaviour.jwks;
    await fetch();
    expect(issuer.hits.openid).toBe(2);
  });

  test('remembers nothing with maxTtl 0', async () => {
    const fresh = { ...settings, minTtlMs: 0, maxTtlMs: 0 };
    await fetch({ settings: fresh });
    await fetch({ settings: fresh });
    expect(issuer.hits).toMatchObject({ openid: 2, jwks: 2 });
  });

  test('spends one time-out on all of it', async () => {
    const behaviour: Behaviour = async (_req, res) => {
      await time.advance(6000);
      res.writeHead(404).end();
      return false;
    };
    issuer.behaviour.openid = behaviour;
    issuer.behaviour.oauth = behaviour;
    issuer.behaviour.jwks = behaviour;
    await expect(fetch()).rejects.toMatchObject({ code: 'status' });
    issuer.behaviour.oauth = async () => {
      await time.advance(6000);
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({ code: 'timeout' });
    expect(issuer.hits.jwks).toBe(0);
  });
});

describe('createNetworkFetcher() with a jwksUri', () => {
  test('asks for the key set and nothing else', async () => {
    await fromUri();
    expect(issuer.hits).toEqual({ openid: 0, oauth: 0, jwks: 1, other: 0 });
  });

  test.each<[string, string, Behaviour]>([
    ['redirects', 'redirect', (req, res) => redirects(trap.jwksUri)(req, res)],
    ['is huge', 'too_large', answersText(`{"keys":["${'x'.repeat(200_000)}"]}`)],
    ['never ends', 'too_large', neverEnds],
    ['is a gzip bomb', 'too_large', gzipBomb(1_000_000)],
    ['is broken', 'invalid_json', answersText('{"keys":')],
    ['is HTML', 'content_type', answersText('<html>', { 'content-type': 'text/html' })],
    ['is gone', 'status', answersStatus(410)],
  ])('refuses one that %s', async (_name, code, behaviour) => {
    issuer.behaviour.jwks = behaviour;
    await expect(fromUri()).rejects.toMatchObject({ code });
  });

  test.each<[string, Behaviour]>([
    ['hangs', hangs],
    ['drips', drips],
  ])('gives up on one that %s', async (_name, behaviour) => {
    issuer.behaviour.jwks = behaviour;
    await expect(fromUri({ settings: { ...settings, timeoutMs: 60 } })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  test('can be given up', async () => {
    const controller = new AbortController();
    issuer.behaviour.jwks = () => {
      controller.abort();
      return false;
    };
    await expect(fromUri({ signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});

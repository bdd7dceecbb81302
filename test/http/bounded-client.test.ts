import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpClient, type HttpClient } from '../../src/http/bounded-client.js';
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

let issuer: FakeIssuer;
let trap: FakeIssuer;
let client: HttpClient;
const json = { 'content-type': 'application/json' };

beforeAll(async () => {
  issuer = await FakeIssuer.start();
  trap = await FakeIssuer.start();
});
afterAll(async () => {
  await issuer.stop();
  await trap.stop();
});
beforeEach(() => {
  client = createHttpClient({ timeoutMs: 10_000, maxBytes: 10_000, allowHttp: false });
});
afterEach(async () => {
  delete issuer.behaviour.jwks;
  await client.close();
});

const get = (behaviour: Behaviour, options = {}): Promise<unknown> => {
  issuer.behaviour.jwks = behaviour;
  return client.getJson(issuer.jwksUri, options);
};

describe('HttpClient.getJson()', () => {
  test('brings a JSON object with its header fields', async () => {
    issuer.headers = { 'cache-control': 'max-age=60' };
    const response = await client.getJson(issuer.jwksUri);
    expect(response.body).toEqual({ keys: [] });
    expect(response.headers['cache-control']).toBe('max-age=60');
  });

  test.each([
    ['application/json; charset=utf-8'],
    ['APPLICATION/JSON'],
    ['application/jwk-set+json'],
    ['application/vnd.acme.v1+json;q=1'],
  ])('takes %s', async (type) => {
    await expect(get(answersText('{"a":1}', { 'content-type': type }))).resolves.toMatchObject({
      body: { a: 1 },
    });
  });

  test.each(['gzip', 'x-gzip', 'GZIP'])('unpacks %s', async (encoding) => {
    const answer = get(answersText(gzipSync('{"a":1}'), { ...json, 'content-encoding': encoding }));
    await expect(answer).resolves.toMatchObject({ body: { a: 1 } });
  });

  const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{"b":"[[{"}${'}'.repeat(depth - 1)}`;

  test('takes 32 levels of nesting, whatever stands in strings [security 14]', async () => {
    await expect(get(answersText(nested(32)))).resolves.toMatchObject({ headers: {} });
  });

  test.each([
    ['one level too many', nested(33)],
    ['arrays', `{"keys":[{"x":${'['.repeat(1000)}${']'.repeat(1000)}}]}`],
    ['objects, as deep as fits', nested(1500)],
    ['without an end', '['.repeat(9000)],
  ])('refuses what is nested too deeply: %s [security 14]', async (_, text) => {
    await expect(get(answersText(text))).rejects.toMatchObject({ code: 'invalid_json' });
  });

  test.each<[string, string, Behaviour]>([
    ['an error of the server', 'status', answersStatus(500)],
    ['a missing page', 'status', answersStatus(404)],
    ['an empty success', 'status', answersStatus(204)],
    ['a partial answer', 'status', answersStatus(206)],
    ['not modified', 'redirect', answersStatus(304)],
    ['HTML', 'content_type', answersText('{}', { 'content-type': 'text/html' })],
    [
      'a type that only looks like JSON',
      'content_type',
      answersText('{}', { 'content-type': 'application/jsonp' }),
    ],
    ['JSON as text', 'content_type', answersText('{}', { 'content-type': 'text/json' })],
    ['no type', 'content_type', answersText('{}', {})],
    [
      'an encoding nobody asked for',
      'content_encoding',
      answersText('{}', { ...json, 'content-encoding': 'br' }),
    ],
    ['gzip in gzip', 'content_encoding', answersText('{}', { ...json, 'content-encoding': 'gzip, gzip' })],
    ['gzip that is none', 'content_encoding', answersText('{}', { ...json, 'content-encoding': 'gzip' })],
    [
      'cut gzip',
      'content_encoding',
      answersText(gzipSync('{"a":1}').subarray(0, -9), { ...json, 'content-encoding': 'gzip' }),
    ],
    ['broken JSON', 'invalid_json', answersText('{"keys":[')],
    ['an empty body', 'invalid_json', answersText('')],
    ['an array', 'invalid_json', answersText('[]')],
    ['null', 'invalid_json', answersText('null')],
    ['a string', 'invalid_json', answersText('"x"')],
    ['invalid UTF-8', 'invalid_json', answersText(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ['a huge body', 'too_large', answersText(`{"a":"${'x'.repeat(10_000)}"}`)],
    ['an endless body', 'too_large', neverEnds],
    ['a gzip bomb', 'too_large', gzipBomb(5_000_000)],
    [
      'a cut connection',
      'connection',
      (_req, res) => {
        res.destroy();
        return false;
      },
    ],
    [
      'a body that is cut off',
      'connection',
      (_req, res) => {
        res.writeHead(200, { ...json, 'content-length': '100' }).write('{');
        setImmediate(() => res.destroy());
        return false;
      },
    ],
    ['a header without end', 'connection', answersText('{}', { ...json, 'x-long': 'x'.repeat(20_000) })],
  ])('refuses %s: %s', async (_name, code, behaviour) => {
    await expect(get(behaviour)).rejects.toMatchObject({ name: 'HttpError', code });
  });

  test.each<[string, Behaviour]>([
    ['a server that never answers', hangs],
    ['a server that drips', drips],
  ])('gives up on %s', async (_name, behaviour) => {
    await expect(get(behaviour, { timeoutMs: 60 })).rejects.toMatchObject({ code: 'timeout' });
  });

  test.each([301, 302, 303, 307, 308])('does not follow a %s', async (status) => {
    await expect(get(redirects(trap.jwksUri, status))).rejects.toMatchObject({ code: 'redirect', status });
    expect(trap.total).toBe(0);
  });

  test('sends no credential and asks for JSON', async () => {
    let seen: object = {};
    await get((req) => {
      seen = req.headers;
      return true;
    });
    expect(seen).toMatchObject({ accept: 'application/json', 'accept-encoding': 'gzip' });
    expect(seen).not.toHaveProperty('authorization');
    expect(seen).not.toHaveProperty('cookie');
  });

  test('takes exactly maxBytes', async () => {
    const exact = `{"a":"${'x'.repeat(10_000 - 8)}"}`;
    expect(exact).toHaveLength(10_000);
    await expect(get(answersText(exact))).resolves.toBeDefined();
    await expect(get(answersText(`${exact} `))).rejects.toMatchObject({ code: 'too_large' });
  });

  test('lets the caller give up', async () => {
    const controller = new AbortController();
    const answer = get(
      (_req, _res) => {
        controller.abort();
        return false;
      },
      { signal: controller.signal },
    );
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
  });

  test('reports a port where nobody listens', async () => {
    const gone = await FakeIssuer.start();
    await gone.stop();
    await expect(client.getJson(gone.jwksUri)).rejects.toMatchObject({
      code: 'connection',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('keeps query and body out of messages', async () => {
    issuer.behaviour.jwks = answersText('{"secret":hunter2}');
    const error = await client.getJson(`${issuer.jwksUri}?token=hunter2`).catch((e: unknown) => e);
    expect(String(error)).toContain('/jwks');
    expect(String(error)).not.toContain('hunter2');
  });

  test('refuses more requests at once than it may have', async () => {
    const small = createHttpClient({ timeoutMs: 10_000, maxBytes: 1000, allowHttp: false, maxInFlight: 1 });
    issuer.behaviour.jwks = hangs;
    const controller = new AbortController();
    const first = small.getJson(issuer.jwksUri, { signal: controller.signal });
    await expect(small.getJson(issuer.jwksUri)).rejects.toMatchObject({ code: 'busy' });
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    delete issuer.behaviour.jwks;
    await expect(small.getJson(issuer.jwksUri)).resolves.toBeDefined();
    await small.close();
  });
});

describe('HttpClient.getJson() of names', () => {
  const resolving = (...addresses: string[]): HttpClient =>
    createHttpClient({
      timeoutMs: 10_000,
      maxBytes: 10_000,
      allowHttp: true,
      resolveHost: async () =>
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    });
  const port = (): string => new URL(issuer.origin).port;

  test.each([
    ['the metadata address', ['169.254.169.254']],
    ['a mapped metadata address', ['::ffff:169.254.169.254']],
    ['several that are all forbidden', ['0.0.0.0', 'fe80::1', '::']],
    ['nothing', []],
  ])('refuses one that resolves to %s', async (_name, addresses) => {
    const named = resolving(...addresses);
    await expect(named.getJson(`http://issuer.test:${port()}/jwks`)).rejects.toMatchObject({
      code: 'forbidden_address',
    });
    await named.close();
  });

  test('connects to the address that was checked, and only to it', async () => {
    const named = resolving('169.254.169.254', '127.0.0.1');
    const before = issuer.hits.jwks;
    await expect(named.getJson(`http://issuer.test:${port()}/jwks`)).resolves.toBeDefined();
    expect(issuer.hits.jwks).toBe(before + 1);
    await named.close();
  });

  test('asks the resolver again for each connection, and judges each answer', async () => {
    const answers = ['127.0.0.1', '169.254.169.254'];
    const rebinding = createHttpClient({
      timeoutMs: 10_000,
      maxBytes: 10_000,
      allowHttp: true,
      resolveHost: async () => [{ address: answers.shift() ?? '', family: 4 }],
    });
    await expect(rebinding.getJson(`http://issuer.test:${port()}/jwks`)).resolves.toBeDefined();
    await expect(rebinding.getJson(`http://issuer.test:${port()}/jwks`)).rejects.toMatchObject({
      code: 'forbidden_address',
    });
    await rebinding.close();
  });

  test('finds localhost by the system’s resolver', async () => {
    await expect(client.getJson(`http://localhost:${port()}/jwks`)).resolves.toBeDefined();
  });

  test('refuses a localhost that is not the loopback', async () => {
    const named = resolving('10.0.0.1');
    await expect(named.getJson(`http://localhost:${port()}/jwks`)).rejects.toMatchObject({
      code: 'forbidden_address',
    });
    await named.close();
  });

  test('reports a name that does not resolve', async () => {
    const named = createHttpClient({
      timeoutMs: 10_000,
      maxBytes: 10_000,
      allowHttp: true,
      resolveHost: () => Promise.reject(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })),
    });
    await expect(named.getJson('http://issuer.test/jwks')).rejects.toMatchObject({
      code: 'connection',
      message: expect.stringContaining('ENOTFOUND'),
    });
    await named.close();
  });

  test('gives up on a resolver that hangs', async () => {
    const named = createHttpClient({
      timeoutMs: 60,
      maxBytes: 10_000,
      allowHttp: true,
      resolveHost: () => new Promise(() => undefined),
    });
    await expect(named.getJson('http://issuer.test/jwks')).rejects.toMatchObject({ code: 'timeout' });
    await named.close();
  });
});

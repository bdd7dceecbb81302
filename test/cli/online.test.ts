import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { checkIssuersOnline } from '../../src/cli/online.js';
import { parseConfig } from '../../src/config/load.js';

let server: Server;
let base: string;
let asked: string[];

beforeAll(async () => {
  const { public_keys: keys } = await generateSigningKeys('ES256');
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answers: Record<string, unknown> = {
      '/jwks': { keys },
      '/empty': { keys: [] },
      '/.well-known/openid-configuration': { issuer: base, jwks_uri: `${base}/jwks` },
    };
    response.writeHead(path in answers ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answers[path] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const check = (issuers: readonly object[]) => {
  asked = [];
  const all = issuers.map((issuer, index) => ({
    issuer: `https://${index}.example`,
    audiences: ['x'],
    ...issuer,
  }));
  return checkIssuersOnline(
    parseConfig(JSON.stringify({ issuers: all, jwks: { timeout: '5s' } }), { env: {} }).config,
  );
};

describe('checkIssuersOnline()', () => {
  test('finds keys by their URL, through discovery, and in the file', async () => {
    const keys = [{ alg: 'HS256', secret: 'x'.repeat(32) }];
    expect(await check([{ jwksUri: `${base}/jwks` }, { issuer: base }, { keys }])).toEqual([
      { index: 0, issuer: 'https://0.example', ok: true, text: 'ok, keys usable: 1' },
      { index: 1, issuer: base, ok: true, text: 'ok, keys usable: 1' },
      { index: 2, issuer: 'https://2.example', ok: true, text: 'ok, keys usable: 1' },
    ]);
  });

  test.each([
    ['nobody there', () => ({ jwksUri: 'http://127.0.0.1:1/jwks' })],
    ['no such document', () => ({ jwksUri: `${base}/gone` })],
    ['a set without keys', () => ({ jwksUri: `${base}/empty` })],
    ['metadata of another issuer', () => ({ discovery: `${base}/.well-known/openid-configuration` })],
  ])('%s: says so, and goes on with the next', async (_name, issuer) => {
    const [first, second] = await check([issuer(), { jwksUri: `${base}/jwks` }]);
    expect(first).toMatchObject({ index: 0, ok: false, text: expect.stringMatching(/^no keys: ./) });
    expect(second).toMatchObject({ index: 1, ok: true });
  });

  test('asks each of many issuers once, and keeps their order', async () => {
    const many = Array.from({ length: 50 }, () => ({ jwksUri: `${base}/jwks` }));
    const checks = await check(many);
    expect(checks.map(({ index }) => index)).toEqual(many.map((_one, index) => index));
    expect(asked).toHaveLength(50);
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runRevoke, type RevokeOptions } from '../../src/cli/revoke.js';

const received: { url: string | undefined; type: string | undefined; body: unknown }[] = [];
let status = 201;
const server = createServer((req, res) => {
  let text = '';
  req.on('data', (chunk) => (text += String(chunk)));
  req.on('end', () => {
    received.push({ url: req.url, type: req.headers['content-type'], body: JSON.parse(text) });
    res.writeHead(status).end(JSON.stringify({ id: 'the-id', expiresAt: 1 }));
  });
});
let admin: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  received.length = 0;
  status = 201;
});

async function run(options: Omit<RevokeOptions, 'admin'> & { readonly admin?: string }, input = '') {
  const lines: string[] = [];
  const io = {
    out: (text: string) => void lines.push(text),
    err: (text: string) => void lines.push(text),
    in: () => Promise.resolve(input),
  };
  return { code: await runRevoke({ admin, ...options }, io), text: lines.join('\n') };
}

const issuer = 'https://a.example';

describe('runRevoke()', () => {
  test.each<[string, Omit<RevokeOptions, 'admin'>, object]>([
    ['a token from standard input', { token: '-' }, { token: 'secret' }],
    ['a jti', { jti: 'j', issuer }, { jti: 'j', issuer }],
    ['a session', { sid: 's', issuer }, { sid: 's', issuer }],
    ['a subject with a reason', { sub: 'u', issuer, reason: 'left' }, { sub: 'u', issuer, reason: 'left' }],
    ['a client', { client: 'c', issuer }, { clientId: 'c', issuer }],
  ])('revokes %s', async (_, options, body) => {
    const { code, text } = await run(options, 'secret\n');
    expect([code, JSON.parse(text)]).toEqual([0, { id: 'the-id', expiresAt: 1 }]);
    expect(received).toEqual([{ url: '/revocations', type: 'application/json', body }]);
    expect(text).not.toContain('secret');
  });

  test.each<[string, Omit<RevokeOptions, 'admin'> & { readonly admin?: string }]>([
    ['no target', { issuer }],
    ['two targets', { jti: 'j', sub: 'u', issuer }],
    ['no issuer', { jti: 'j' }],
    ['a token as an argument', { token: 'secret' }],
    ['an issuer beside a token', { token: '-', issuer }],
    ['an address that is no URL', { jti: 'j', issuer, admin: 'localhost' }],
  ])('is used wrongly with %s', async (_, options) => {
    const { code, text } = await run(options);
    expect([code, received]).toEqual([2, []]);
    expect(text).not.toContain('secret');
  });

  test('fails where the server refuses, or is not there, or there is no token', async () => {
    status = 507;
    expect(await run({ jti: 'j', issuer })).toMatchObject({ code: 1, text: expect.stringContaining('507') });
    await expect(run({ jti: 'j', issuer, admin: 'http://127.0.0.1:1' })).rejects.toThrow(/cannot be reached/);
    expect((await run({ token: '-' }, ' \n')).code).toBe(1);
  });
});

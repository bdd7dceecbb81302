import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { scryptSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parsePersonalAccessToken } from '../../src/token-service/personal-access-token.js';
import { parseScryptPhc } from '../../src/token-service/scrypt-phc.js';
import { runCommand } from './run-command.js';

let server: Server;
let url: string;
let asked: {
  method: string | undefined;
  path: string | undefined;
  token: string | undefined;
  body: unknown;
}[] = [];
let answer: { status: number; body?: object } = { status: 204 };

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      asked.push({
        method: request.method,
        path: request.url,
        token: request.headers.authorization,
        body: text === '' ? undefined : JSON.parse(text),
      });
      response.writeHead(answer.status, { 'content-type': 'application/json', location: '/elsewhere' });
      response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked = [];
  answer = { status: 204 };
});

const pat = (...args: string[]) => runCommand(['pat', ...args, '--url', url], { adminToken: 'pat_secret' });

describe('portcullis pat', () => {
  test.each<[args: string[], method: string, path: string, body: object | undefined]>([
    [
      [
        'issue',
        '--owner',
        'ops',
        '--role',
        'a',
        'b',
        '--scope',
        'x',
        '--admin',
        '--id',
        'robot',
        '--expires-at',
        '5',
      ],
      'POST',
      '/admin/tokens',
      { owner: 'ops', roles: ['a', 'b'], scopes: ['x'], isAdmin: true, tokenId: 'robot', expiresAt: 5 },
    ],
    [
      ['list', '--limit', '5', '--after', 'a', '--include-revoked'],
      'GET',
      '/admin/tokens?limit=5&afterTokenId=a&includeRevoked=true',
      undefined,
    ],
    [['show', 'robot'], 'GET', '/admin/tokens/robot', undefined],
    [
      ['register', 'robot', '--owner', 'o', '--phc', '$scrypt$x'],
      'PUT',
      '/admin/tokens/robot',
      { owner: 'o', secretPhc: '$scrypt$x' },
    ],
    [
      ['update', 'robot', '--add-role', 'a', '--never-expires'],
      'PATCH',
      '/admin/tokens/robot',
      { roles: { add: ['a'] }, expiresAt: null },
    ],
    [['update', 'robot', '--no-admin'], 'PATCH', '/admin/tokens/robot', { isAdmin: false }],
    [['revoke', 'robot'], 'PUT', '/admin/tokens/robot/revoke', {}],
    [['restore', 'robot'], 'PUT', '/admin/tokens/robot/restore', undefined],
  ])('%j', async (args, method, path, body) => {
    answer = { status: 200, body: {} };
    expect(await pat(...args)).toMatchObject({ code: 0, err: '' });
    expect(asked).toEqual([{ method, path, token: 'Bearer pat_secret', body }]);
  });

  test('issue prints the token alone, --json the answer', async () => {
    answer = { status: 201, body: { token: 'pat_new', record: { tokenId: 'x' } } };
    expect((await pat('issue', '--owner', 'o')).out).toBe('pat_new');
    expect(JSON.parse((await pat('issue', '--owner', 'o', '--json')).out)).toEqual(answer.body);
  });

  test('list prints a table', async () => {
    answer = {
      status: 200,
      body: {
        records: [{ tokenId: 'a', owner: 'o', isAdmin: true, roles: ['r'], scopes: [], revokedAt: 1 }],
      },
    };
    expect((await pat('list')).out).toBe(
      'ID  OWNER  STATE    ADMIN  ROLES  SCOPES\na   o      revoked  admin  r',
    );
  });

  test('the token comes from standard input where the environment has none', async () => {
    answer = { status: 200, body: {} };
    const io = { out: () => undefined, err: () => undefined, in: () => Promise.resolve('pat_stdin\n') };
    expect((await runCommand(['pat', 'show', 'x', '--url', url], { io })).code).toBe(0);
    expect(asked[0]?.token).toBe('Bearer pat_stdin');
  });

  test.each([
    ['a refusal', { status: 409, body: { error: 'conflict', details: 'taken' } }, /409: taken/],
    ['a redirect', { status: 302 }, /could not be reached/],
  ])('%s: fails, with the reason', async (_name, given, message) => {
    answer = given;
    const { code, err } = await pat('revoke', 'robot');
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toContain('pat_secret');
  });

  test('the token is not sent in the clear to another machine', async () => {
    const { code, err } = await runCommand(['pat', 'show', 'x', '--url', 'http://gate.example.com'], {
      adminToken: 'pat_secret',
    });
    expect(code).toBe(1);
    expect(err).toMatch(/https/);
  });

  test.each([[['issue']], [['show']], [['nothing']], [['issue', '--owner', 'o', '--expires-at', 'soon']]])(
    'wrong usage: %j',
    async (args) => expect((await pat(...args)).code).toBe(2),
  );
});

describe('portcullis pat bootstrap', () => {
  test('a token and its hash, which belong together', async () => {
    const { out, code } = await runCommand(['pat', 'bootstrap']);
    expect(code).toBe(0);
    const [token = '', phc = ''] = out.split('\n');
    const parsed = parsePersonalAccessToken(token, 'pat_');
    expect(parsed?.tokenId).toBe('bootstrap');
    const { salt, hash, ln } = parseScryptPhc(phc)!;
    const options = { N: 2 ** ln, r: 8, p: 1, maxmem: 2 ** 27 };
    expect(scryptSync(parsed!.secret, salt, 32, options).equals(hash)).toBe(true);
  });
});

import { afterEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inRepository } from '../support/repository.mjs';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`;
}

const check = (...urls: string[]): Promise<{ code: unknown; out: string; err: string }> =>
  new Promise((resolve) =>
    execFile(inRepository('deploy/check-closed.sh'), urls, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, out, err }),
    ),
  );

const closed = (_request: IncomingMessage, response: ServerResponse): void =>
  void response.writeHead(401, { 'www-authenticate': 'Bearer realm="x"' }).end();

describe('deploy/check-closed.sh [operators 4]', () => {
  test('0 where every request is challenged', async () => {
    const { code, out } = await check(await serve(closed));
    expect([code, out.match(/^ok /gm)?.length]).toEqual([0, 2]);
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void, RegExp]>([
    ['the service answers', (_request, response) => void response.end('hello'), /answered 200, must be 401/],
    [
      'a forged token passes',
      (request, response) =>
        request.headers.authorization === undefined ? closed(request, response) : void response.end(),
      /a forged token: answered 200/,
    ],
    [
      'something else answers 401',
      (_request, response) => void response.writeHead(401).end(),
      /without a challenge/,
    ],
    ['the gate is down', (_request, response) => void response.writeHead(503).end(), /answered 503/],
  ])('1, loudly, where %s', async (_name, answer, expected) => {
    const { code, err } = await check(await serve(closed), await serve(answer));
    expect([code, err]).toEqual([1, expect.stringMatching(expected)]);
  });

  test('1 where nothing answers, 2 without a URL', async () => {
    expect(await check('http://127.0.0.1:1/')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no answer'),
    });
    expect((await check()).code).toBe(2);
  });
});

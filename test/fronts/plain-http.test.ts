/** A second front, as anybody could write one: an HTTP server that answers for what it is asked. It proves that the
 * decision, and all that surrounds it, knows no front. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRequest } from '../../src/authz/create-request.js';
import { Denial } from '../../src/authz/denial.js';
import { bodyText } from '../../src/authz/refusal.js';
import { parseConfig } from '../../src/config/load.js';
import type { Front } from '../../src/guard/guard.js';
import { silentLogger } from '../../src/ports.js';
import { createRuntime } from '../../src/runtime/runtime.js';
import type { Runtime } from '../../src/runtime/runtime-contract.js';
import { AUDIENCE, ISSUER, mintToken, testKey } from '../support/tokens.js';

// ---- the front: the next lines are all of it ---------------------------------------------------------------------

type Answer = (response: ServerResponse) => void;

const plainHttp: Front<IncomingMessage, Answer> = {
  read(message) {
    const { method = '', url = '', rawHeaders } = message;
    if (url.length > 8192) throw new Denial('message_too_large');
    const headers = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
    );
    return createRequest({ method, target: url, host: message.headers.host ?? '', headers });
  },
  write(decision) {
    if (decision.kind === 'allow') {
      const { set, remove } = decision.upstream;
      return (response) => void response.end(JSON.stringify({ set, remove }));
    }
    const { status, headers, body } = decision.refusal;
    return (response) => {
      for (const [name, value] of headers) response.appendHeader(name, value);
      response.writeHead(status).end(body === undefined ? undefined : bodyText(body, decision.ctx.id));
    };
  },
};

function serve({ guard }: Runtime): Server {
  return createServer((message, response) => {
    void Promise.resolve(guard.handle(plainHttp, message, Infinity)).then((answer) => answer(response));
  });
}

// ------------------------------------------------------------------------------------------------------------------

let runtime: Runtime;
let server: Server;

beforeAll(async () => {
  const { config } = parseConfig(
    JSON.stringify({
      issuers: [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }],
      identity: { headers: { 'x-user-id': 'sub' } },
      policies: { admin: { scopes: { all: ['admin'] } } },
      routes: [
        { paths: ['/admin/**'], policy: 'admin' },
        { paths: ['/**'], policy: 'default' },
      ],
      log: { decisions: 'none' },
    }),
  );
  runtime = await createRuntime(config, { log: silentLogger });
  server = serve(runtime).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  server.close();
  await runtime.close();
});

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { method, headers });

const live = (claims: Record<string, unknown> = {}) => {
  const nowS = Math.floor(Date.now() / 1000);
  return { authorization: `Bearer ${mintToken({ claims: { iat: nowS, exp: nowS + 300, ...claims } })}` };
};

describe('a front of plain HTTP', () => {
  test('allows with the changes to the request', async () => {
    const response = await ask('/orders', { ...live({ sub: 'alice' }), 'x-user-id': 'root' });
    expect(response.status).toBe(200);
    const { set, remove } = (await response.json()) as { set: string[][]; remove: string[] };
    expect(set).toEqual([['x-user-id', 'alice']]);
    expect(remove).toContain('authorization');
  });

  test('refuses with status, challenges and a body that has the id of the decision', async () => {
    const response = await ask('/orders');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer realm="portcullis"');
    expect(await response.json()).toEqual({
      error: 'unauthorized',
      error_description: 'authentication is required',
      decision_id: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
  });

  test.each([
    ['a scope that is missing', '/admin/users', 403, 'insufficient_scope'],
    ['a path that can be read in two ways', '/a%2f..%2fadmin', 400, 'invalid_request'],
    ['a question that is too large', `/${'a'.repeat(9000)}`, 413, 'invalid_request'],
  ])('refuses %s as every front does', async (_name, path, status, error) => {
    const response = await ask(path, live());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error });
  });

  test('sends no body to HEAD', async () => {
    const response = await ask('/orders', {}, 'HEAD');
    expect([response.status, await response.text()]).toEqual([401, '']);
  });

  test('is bounded and counted with all others', async () => {
    const before = runtime.guard.answered;
    await ask('/orders');
    expect(runtime.guard.answered).toBe(before + 1);
    const text = await runtime.metrics.registry.metrics();
    expect(text).toContain('portcullis_checks_total{decision="deny",reason="missing_credential"');
  });
});

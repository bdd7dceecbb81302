/** What answers hold, in each style. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DenialCode, DenialDetails } from '../../../src/authz/denial.js';
import { STYLES, type StyleName } from '../../../src/fronts/forward-auth/styles.js';
import { createForwardAuth } from '../../../src/fronts/forward-auth/forward-auth.js';
import { createAnswerWriter } from '../../../src/fronts/forward-auth/write-answer.js';
import { withoutParameters } from '../../../src/fronts/forward-auth/without-parameters.js';
import { checkContext, deniedFor } from '../../authz/contexts.js';
import { frontCaseConfig } from '../../support/guide-cases.js';
import { liveToken } from '../../support/live-token.js';
import type { WireResponse } from '../../support/wire-client.mjs';
import { startHttpGate, type HttpGate } from '../../support/http-front.js';

let gate: HttpGate;
beforeAll(async () => {
  gate = await startHttpGate(
    frontCaseConfig({
      identity: { headers: { 'x-user-id': 'sub', 'x-tenant': 'tenant' } },
      credentials: [{ header: 'authorization' }, { cookie: 'session' }, { query: 'access_token' }],
      multipleCredentials: 'first',
      dpop: { nonce: { mode: 'required', secrets: ['a secret of 32 characters at least'] } },
    }),
  );
});
afterAll(() => gate.close());

async function ask(
  style: StyleName,
  target: string,
  more: readonly (readonly [string, string])[] = [],
  method = 'GET',
): Promise<WireResponse> {
  const { client } = await gate.open(style);
  if (style === 'envoy') return client({ method, path: target, host: 'api.example.com', headers: more });
  const name = style === 'traefik' || style === 'caddy' ? 'x-forwarded' : 'x-original';
  const question = [
    [`${name}-method`, method],
    [`${name}-host`, 'api.example.com'],
    [`${name}-uri`, target],
  ] as const;
  return client({ headers: [...question, ...more] });
}

const bearer = ['authorization', `Bearer ${liveToken({ claims: { sub: 'alice' } })}`] as const;

describe('an allow', () => {
  test('traefik: what is set, and nothing that would arrive upstream beside it', async () => {
    const { status, headers } = await ask('traefik', '/orders', [bearer, ['x-tenant', 'root']]);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'x-user-id': ['alice'], 'content-length': ['0'] });
    expect(Object.keys(headers).sort()).toEqual([...['connection', 'content-length', 'date', 'x-user-id']]);
  });

  test.each(['nginx', 'caddy', 'plain'] as const)('%s: what is absent is empty', async (style) => {
    const { headers } = await ask(style, '/orders', [bearer, ['x-tenant', 'root']]);
    expect(headers).toMatchObject({ 'x-user-id': ['alice'], 'x-tenant': [''] });
  });

  test('envoy: the list is in the header that Envoy reads', async () => {
    const { headers } = await ask('envoy', '/orders', [bearer]);
    expect(headers['x-envoy-auth-headers-to-remove']?.[0]?.split(',')).toEqual(
      expect.arrayContaining(['authorization', 'dpop', 'x-tenant', 'x_tenant', 'x_user_id']),
    );
    expect(headers['x-tenant']).toBeUndefined();
  });

  test('plain: the names of what is set and what is removed', async () => {
    const { headers } = await ask('plain', '/orders', [bearer]);
    expect(headers['x-portcullis-set']).toEqual(['x-user-id']);
    expect(headers['x-portcullis-remove']?.[0]?.split(',')).toContain('x-tenant');
  });

  test.each([
    ['theme=dark', ['theme=dark']],
    // UTF-8, a character for each byte.
    ['caf\u00c3\u00a9=1', ['caf\u00c3\u00a9=1']],
    // Bytes that are not UTF-8 cannot be read, so no cookie goes on.
    ['caf\u00e9=1', undefined],
    [`theme=dark; session=${liveToken()}; a=b`, ['theme=dark; a=b']],
  ])('nginx: the cookie header that goes on for %s', async (cookie, expected) => {
    const { headers } = await ask('nginx', '/orders', [bearer, ['cookie', cookie]]);
    expect(headers.cookie).toEqual(expected);
  });

  test('plain: the target without the token', async () => {
    const { headers } = await ask('plain', '/a?x=1&access_token=secret&flag', [bearer]);
    expect(headers['x-portcullis-target']).toEqual(['/a?x=1&flag']);
  });
});

describe('a denial', () => {
  test.each(['traefik', 'caddy', 'plain', 'envoy'] as const)('%s: is sent as it is', async (style) => {
    const { status, headers, body } = await ask(style, '/orders');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toHaveLength(2);
    expect(headers).toMatchObject({ 'cache-control': ['no-store'], 'content-type': ['application/json'] });
    expect(JSON.parse(body)).toMatchObject({ error: 'unauthorized' });
  });

  test('nginx: one field of challenges, status and body in headers', async () => {
    const { status, headers, body } = await ask('nginx', '/orders');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toEqual([
      expect.stringMatching(/^Bearer realm="portcullis", DPoP algs="/),
    ]);
    expect(headers['x-portcullis-status']).toEqual(['401']);
    expect(headers['x-portcullis-body']).toEqual([body]);
  });

  test('nginx: 400 goes as 403, and says so', async () => {
    const { status, headers } = await ask('nginx', '/orders', [['authorization', 'Bearer']]);
    expect([status, headers['x-portcullis-status']]).toEqual([403, ['400']]);
  });

  test.each<[StyleName, DenialCode, DenialDetails, status: number, told: string | undefined]>([
    ['plain', 'keys_unavailable', {}, 503, undefined],
    ['traefik', 'unknown_policy', {}, 500, undefined],
    ['nginx', 'keys_unavailable', {}, 403, '503'],
    ['nginx', 'no_route', {}, 403, '403'],
    // Envoy takes a 5xx for a failure of the gate, and failure_mode_allow would let the request through.
    ['envoy', 'keys_unavailable', {}, 403, '503'],
    ['envoy', 'unknown_policy', {}, 403, '500'],
    ['envoy', 'malformed_credential', {}, 400, undefined],
    ['envoy', 'replay_unavailable', { isOutage: true }, 503, undefined],
  ])('%s: %s', (style, code, details, status, told) => {
    const write = createAnswerWriter({
      style: STYLES[style],
      identityNames: () => [],
      changesCookies: () => false,
    });
    const denial = deniedFor(code, checkContext(), details);
    const isLeftToProxy = details.isOutage === true;
    const answer = write({ ...denial, refusal: { ...denial.refusal, isLeftToProxy } });
    const at = answer.headers.indexOf('x-portcullis-status');
    expect([answer.status, at < 0 ? undefined : answer.headers[at + 1]]).toEqual([status, told]);
  });

  test('HEAD gets no body', async () => {
    const { status, body } = await ask('traefik', '/orders', [], 'HEAD');
    expect([status, body]).toEqual([401, '']);
  });

  test('a header that node refuses is a 500, and not the end of the process', () => {
    const written: unknown[] = [];
    const handler = createForwardAuth({
      guard: {
        waiting: 0,
        answered: 0,
        handle: () => ({ status: 200, headers: ['x', '\n'], body: '' }) as never,
      },
      style: 'plain',
      trustedProxies: { has: () => true },
      timeoutMs: 1000,
      identityNames: () => [],
      changesCookies: () => false,
      now: () => 0,
    });
    handler(
      { rawHeaders: [], socket: {} },
      {
        writeHead: (status, headers) => {
          if (headers.includes('\n')) throw new Error('Invalid character');
          written.push(status);
        },
        end: () => undefined,
      },
    );
    expect(written).toEqual([500]);
  });
});

describe('withoutParameters()', () => {
  test.each([
    ['t=1', '/a'],
    ['t', '/a'],
    ['x=1&t=2&y', '/a?x=1&y'],
    ['tt=1&t=2&t=3', '/a?tt=1'],
    ['', '/a?'],
    ['x=%20+&&t=1', '/a?x=%20+&'],
  ])('%s', (query, expected) => {
    expect(withoutParameters('/a', query, ['t'])).toBe(expected);
  });

  test('leaves a target without query alone', () => {
    expect(withoutParameters('/a', undefined, ['t'])).toBe('/a');
  });
});

/** How fronts like this one were broken elsewhere, each as a test. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StyleName } from '../../../src/fronts/forward-auth/styles.js';
import { createCertificate } from '../../support/certificates.mjs';
import { frontCaseConfig } from '../../support/guide-cases.js';
import { liveToken } from '../../support/live-token.js';
import type { WireClient, WireResponse } from '../../support/wire-client.mjs';
import { startHttpGate, type HttpGate } from '../../support/http-front.js';

type Fields = readonly (readonly [string, string])[];

let gate: HttpGate;
const clients = new Map<StyleName, WireClient>();

beforeAll(async () => {
  gate = await startHttpGate(
    frontCaseConfig({
      identity: { headers: { 'x-user-id': 'sub', 'x-tenant': 'tenant' } },
      policies: { public: { access: 'anonymous' } },
      routes: [
        { paths: ['/public/**'], policy: 'public' },
        { paths: ['/**'], policy: 'default' },
      ],
    }),
  );
  for (const style of ['traefik', 'nginx', 'ingress-nginx', 'envoy', 'plain'] as const)
    clients.set(style, (await gate.open(style)).client);
});
afterAll(() => gate.close());

const ask = (style: StyleName, headers: Fields, path = '/'): Promise<WireResponse> =>
  (clients.get(style) as WireClient)({ path, headers });

const bearer = (): readonly [string, string] => ['authorization', `Bearer ${liveToken()}`];
const forwarded = (uri: string, ...more: Fields): Fields => [
  ['x-forwarded-method', 'GET'],
  ['x-forwarded-host', 'api.example.com'],
  ['x-forwarded-uri', uri],
  ...more,
];
const original = (uri: string, ...more: Fields): Fields => [
  ['x-original-method', 'GET'],
  ['x-original-host', 'api.example.com'],
  ['x-original-uri', uri],
  ...more,
];

async function expectRefused(answer: Promise<WireResponse>, code: string): Promise<void> {
  const { status, headers } = await answer;
  expect([status, gate.lastReason()]).toEqual([expect.any(Number), code]);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(headers['x-user-id'] ?? []).toEqual([]);
}

describe('CVE-2026-40575: a client says in X-Forwarded-Uri what it asks for', () => {
  test('is refused where the proxy adds its own beside it', () =>
    expectRefused(
      ask('traefik', forwarded('/admin', ['x-forwarded-uri', '/public/a'])),
      'malformed_request',
    ));

  test('is refused in the other order, and where both are the same', async () => {
    await expectRefused(
      ask('traefik', [['x-forwarded-uri', '/public/a'], ...forwarded('/admin')]),
      'malformed_request',
    );
    await expectRefused(
      ask('traefik', forwarded('/public/a', ['x-forwarded-uri', '/public/a'])),
      'malformed_request',
    );
  });

  test('changes nothing where the proxy asks in another way', async () => {
    await expectRefused(ask('nginx', original('/admin', ...forwarded('/public/a'))), 'missing_credential');
    await expectRefused(ask('envoy', forwarded('/public/a'), '/admin'), 'missing_credential');
  });
});

describe('oauth2-proxy issue 3506: without a list of proxies everybody was one', () => {
  test('nobody is believed by default', async () => {
    const { client } = await gate.open('traefik', { trustedProxies: [] });
    const { status, body } = await client({ headers: forwarded('/public/a') });
    expect(status).toBe(403);
    expect(gate.lastReason()).toBe('untrusted_proxy');
    expect(body).toContain('server.http.trustedProxies');
  });

  test.each(['10.0.0.0/8', '127.0.0.2', '::1'])(
    'an address that is not in %s is not believed',
    async (one) => {
      const { client } = await gate.open('traefik', { trustedProxies: [one] });
      await expectRefused(client({ headers: forwarded('/public/a') }), 'untrusted_proxy');
    },
  );

  test('X-Forwarded-For makes nobody a proxy', async () => {
    const { client } = await gate.open('traefik', { trustedProxies: ['10.0.0.0/8'] });
    const headers = forwarded('/public/a', ['x-forwarded-for', '10.0.0.1']);
    await expectRefused(client({ headers }), 'untrusted_proxy');
  });
});

describe('CVE-2025-64484: a header with underscores passes as one with hyphens', () => {
  test.each(['x_user_id', 'X_User-Id', 'x.user.id', 'x-user_id'])('%s', async (name) => {
    await expectRefused(ask('traefik', forwarded('/a', bearer(), [name, 'root'])), 'malformed_request');
    const listed = await ask('plain', original('/a', bearer(), [name, 'root']));
    expect(listed.status).toBe(200);
    expect(listed.headers['x-portcullis-remove']?.[0]?.split(',')).toContain(name.toLowerCase());
  });

  test.each([
    ['traefik', 'x_forwarded_uri'],
    ['traefik', 'X_Forwarded-Method'],
    ['traefik', 'x-forwarded_host'],
    ['nginx', 'x_original_uri'],
    ['nginx', 'x.original.method'],
    ['ingress-nginx', 'x-original_url'],
  ] as const)('%s: %s is no question', async (style, name) => {
    const headers = style === 'traefik' ? forwarded('/public/a') : original('/public/a');
    const url = ['x-original-url', 'https://api.example.com/public/a'] as const;
    const asked = style === 'ingress-nginx' ? [headers[0] as (typeof headers)[0], url] : headers;
    expect((await ask(style, asked)).status).toBe(200);
    await expectRefused(ask(style, [...asked, [name, '/public/b']]), 'malformed_request');
  });
});

describe('a question that is not whole, or not plain', () => {
  test.each<[name: string, headers: Fields]>([
    ['no method', forwarded('/public/a').slice(1)],
    ['no host', forwarded('/public/a').filter(([name]) => name !== 'x-forwarded-host')],
    ['no target', forwarded('/public/a').slice(0, 2)],
    ['nothing at all', []],
    ['an empty target', forwarded('')],
    ['an absolute URI', forwarded('https://api.example.com/public/a')],
    ['an authority', forwarded('//api.example.com/public/a').with(2, ['x-forwarded-uri', 'api:443'])],
    ['an asterisk', forwarded('*')],
    ['two methods in one field', [['x-forwarded-method', 'GET,POST'], ...forwarded('/public/a').slice(1)]],
    ['a method with a blank', [['x-forwarded-method', 'GET /'], ...forwarded('/public/a').slice(1)]],
    ['the target of another style', original('/public/a')],
  ])('%s is 400', async (_name, headers) => {
    await expectRefused(ask('traefik', headers), 'malformed_request');
  });

  test.each([
    ['two hosts in one field', 'api.example.com,admin.example.com'],
    ['user information', 'api.example.com@admin.example.com'],
    ['a path in the host', 'api.example.com/public'],
    ['blanks', 'api example com'],
  ])('%s is 400', async (_name, host) => {
    const [method, , uri] = forwarded('/public/a');
    await expectRefused(ask('traefik', [method!, ['x-forwarded-host', host], uri!]), 'invalid_host');
  });

  test.each([
    ['dot segments', '/public/../admin'],
    ['encoded dot segments', '/public/%2e%2e/admin'],
    ['an encoded slash', '/public%2fadmin'],
    ['a double slash', '//public/a'],
    ['a fragment', '/public/a#/admin'],
    ['a backslash', '/public\\..\\admin'],
    ['a parameter of the path', '/public/..;/admin'],
    ['bytes beyond ASCII', Buffer.from('/public/\u00e9').toString('latin1')],
  ])('%s is 400', async (_name, uri) => {
    await expectRefused(ask('traefik', forwarded(uri)), 'ambiguous_path');
    await expectRefused(ask('nginx', original(uri)), 'ambiguous_path');
  });

  test('ingress-nginx: a URL without path, with user information, or of another scheme is refused', async () => {
    const askUrl = (url: string) =>
      ask('ingress-nginx', [
        ['x-original-method', 'GET'],
        ['x-original-url', url],
      ]);
    expect((await askUrl('https://api.example.com/public/a?x=//y')).status).toBe(200);
    await expectRefused(askUrl('https://api.example.com'), 'malformed_request');
    await expectRefused(askUrl('ftp://api.example.com/public/a'), 'malformed_request');
    await expectRefused(askUrl('https://evil@api.example.com/public/a'), 'invalid_host');
  });
});

describe('the policy that the operator puts into the path of the question', () => {
  test('judges the request', async () => {
    expect((await ask('plain', original('/admin'), '/policy/public')).status).toBe(200);
    expect((await ask('plain', original('/admin'), '/policy/public?x=1')).status).toBe(200);
    await expectRefused(ask('plain', original('/public/a'), '/policy/default'), 'missing_credential');
  });

  test.each(['/policy/nobody', '/policy/%64efaul%74%20'])('%s is a fault of ours', async (path) => {
    await expectRefused(ask('plain', original('/public/a'), path), 'unknown_policy');
  });

  test.each(['/policy/', '/policy/%ff', '/public/a', '/policy/public/../default', '*'])(
    '%s is no place to ask',
    async (path) => {
      const code = path.startsWith('/policy/public/') ? 'unknown_policy' : 'malformed_request';
      await expectRefused(ask('plain', original('/public/a'), path), code);
    },
  );
});

describe('X-Forwarded-Client-Cert, which any client can write', () => {
  const client = createCertificate('client');
  const xfcc = ['x-forwarded-client-cert', `Cert="${encodeURIComponent(client.certificate)}"`] as const;
  const thumbprint = createHash('sha256').update(client.der).digest('base64url');
  const claims = { cnf: { 'x5t#S256': thumbprint } };
  const token = ['authorization', `Bearer ${liveToken({ claims })}`] as const;
  let certified: HttpGate;
  beforeAll(async () => {
    certified = await startHttpGate(frontCaseConfig({ mtls: { certificate: 'xfcc' } }));
  });
  afterAll(() => certified.close());

  test.each(['traefik', 'nginx'] as const)('%s: is no certificate', async (style) => {
    const { client: asked } = await certified.open(style);
    const question = style === 'nginx' ? original('/a', token, xfcc) : forwarded('/a', token, xfcc);
    expect((await asked({ headers: question })).status).toBe(401);
    expect(certified.lastReason()).toBe('certificate_missing');
  });

  test('envoy: is the certificate, since Envoy writes it', async () => {
    const { client: asked } = await certified.open('envoy');
    expect((await asked({ path: '/a', headers: [token, xfcc] })).status).toBe(200);
  });
});

describe('what a client can make grow', () => {
  test('a header over 64 KiB is refused before it is read', async () => {
    const { status } = await ask('plain', original('/a', ['x-long', 'a'.repeat(70_000)]));
    expect(status).toBe(431);
  });

  test('a thousand headers are enough', async () => {
    const many = Array.from({ length: 1001 }, (_, at) => [`x-${at}`, '1'] as const);
    await expectRefused(ask('plain', original('/public/a', ...many)), 'malformed_request');
  });
});

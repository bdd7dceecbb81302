import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { runTest } from '../../src/cli/test.js';
import { scratchFile } from '../support/processes.mjs';

const CONFIG = `
issuers:
  - { issuer: https://login.example.com, audiences: [https://api.example.com] }
  - { issuer: https://old.example.com, audiences: [old], keys: [{ alg: HS256, secret: 0123456789abcdef0123456789abcdef }] }
  - issuer: https://opaque.example.com
    audiences: [https://api.example.com]
    introspection: { clientId: gate, clientSecret: not-used-here, tokenPrefix: op_ }
dpop: { mode: optional }
policies:
  public: { access: anonymous }
  write: { scopes: { all: [orders:write] }, claims: { tenant: acme } }
  bound: { senderConstraint: dpop }
  fresh: { stepUp: { maxAge: 15m } }
routes:
  - { paths: [/public/**], policy: public }
  - { paths: [/orders/**], policy: write }
  - { paths: [/bound], policy: bound }
  - { paths: [/fresh], policy: fresh }
identity: { headers: { x-user-id: sub } }
`;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(cases: string, options: { junit?: string; config?: string } = {}): Promise<Ran> {
  const file = scratchFile('cases.yaml');
  const config = scratchFile('portcullis.yaml');
  writeFileSync(file, cases);
  writeFileSync(config, options.config ?? CONFIG);
  const [out, err]: string[][] = [[], []];
  const io = {
    in: () => Promise.resolve(''),
    out: (t: string) => void out!.push(t),
    err: (t: string) => void err!.push(t),
  };
  const code = await runTest(
    { config, files: [file], ...(options.junit ? { junit: options.junit } : {}) },
    io,
  );
  return { code, out: out!.join('\n'), err: err!.join('\n') };
}

const GOOD = '{ scope: "orders:write", tenant: acme }';

describe('portcullis test', () => {
  test.each([
    ['an anonymous route', 'request: GET /public/x, expect: anonymous'],
    ['no token', 'request: GET /orders/1, expect: 401'],
    ['a good token', `request: GET /orders/1, token: ${GOOD}, expect: allow`],
    ['a broken signature', 'request: GET /orders/1, token: bad, expect: invalid_signature'],
    ['an expired token', 'request: GET /orders/1, token: expired, expect: expired_token'],
    ['a claim that is taken away', 'request: GET /orders/1, token: { exp: null }, expect: invalid_claims'],
    [
      'an issuer with secrets',
      `request: GET /orders/1, issuer: "https://old.example.com", token: ${GOOD}, expect: allow`,
    ],
    [
      'an opaque token',
      `request: GET /orders/1, issuer: "https://opaque.example.com", opaque: true, token: ${GOOD}, expect: allow`,
    ],
    ['a token with its proof', 'request: GET /bound, token: {}, dpop: true, expect: allow'],
    [
      'a bound token without proof',
      'request: GET /bound, token: {}, dpop: missing, expect: dpop_proof_missing',
    ],
    ['an unbound token', 'request: GET /bound, token: {}, expect: sender_constraint_required'],
    ['a login 5 minutes ago', 'request: GET /fresh, token: { auth_time: 5m ago }, expect: allow'],
    [
      'a login 16 minutes ago',
      'request: GET /fresh, token: { auth_time: 16m ago }, expect: step_up_required',
    ],
    ['an ambiguous path', 'request: GET /public/../orders, expect: ambiguous_path'],
    [
      'a policy that Envoy chooses',
      'request: GET /x, extensions: { portcullis.policy: public }, expect: anonymous',
    ],
    [
      'the parts of a refusal',
      'request: POST /orders, token: {}, expect: { outcome: deny, status: 403, policy: write, rule: scopes.all, challenge: { scope: "orders:write" } }',
    ],
    [
      'the changes of an allowed request',
      `request: GET /orders/1, token: ${GOOD}, expect: { headers: { x-user-id: alice }, without: [authorization] }`,
    ],
  ])('meets %s', async (_, one) => {
    const { code, out, err } = await run(`cases:\n  - { ${one} }\n`);
    expect({ code, err, out }).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('all as expected'),
    });
  });

  test('says what it expected, what it found, and which stage refused', async () => {
    const { code, out } = await run(`
claims: { tenant: other }
cases:
  - { name: first, request: GET /public/x, expect: allow }
  - { name: second, request: GET /orders/1, token: { scope: 'orders:write' }, expect: allow }
`);
    expect(code).toBe(1);
    expect(out).toContain('ok    first');
    expect(out).toContain('FAIL  second (line 5)');
    expect(out).toContain('expected allow');
    expect(out).toContain(
      'found: deny 403 claim_mismatch at authorize, policy write, claims.tenant expected ["acme"] found "other"',
    );
    expect(out).toContain('2 cases, 1 failed');
  });

  test('writes JUnit, with characters that XML cannot hold taken out', async () => {
    const junit = scratchFile('junit.xml');
    await run('cases:\n  - { name: "a <b> & \\u0007\\"c\\"", request: GET /orders/1, expect: allow }\n', {
      junit,
    });
    const xml = readFileSync(junit, 'utf8');
    expect(xml).toContain('tests="1" failures="1"');
    expect(xml).toContain('name="a &lt;b&gt; &amp; ?&quot;c&quot;"');
    expect(xml).toContain('<failure message="expected allow">');
  });

  test('holds the clock at now', async () => {
    const cases = (now: string) =>
      `now: ${now}\ncases:\n  - { request: GET /orders/1, token: { exp: 1800000000, iat: 1799999000, scope: 'orders:write', tenant: acme }, expect: allow }\n`;
    expect((await run(cases('2027-01-15T07:59:00Z'))).code).toBe(0);
    expect((await run(cases('2027-01-15T09:00:00Z'))).code).toBe(1);
  });

  test('reports every mistake with its path and line, and runs nothing', async () => {
    const { code, out, err } = await run(`
cases:
  - { request: GET /x, expect: allow, tokens: none }
  - { request: /x, expect: allow }
  - { request: GET /x, expect: sometimes }
  - { request: GET /x, expect: { reason: allow } }
`);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/cases\[0\]\.tokens: unknown key; did you mean token\? \(line 3/);
    for (const [path, line] of [
      ['cases[1].request', 4],
      ['cases[2].expect', 5],
      ['cases[3].expect', 6],
    ] as const)
      expect(err).toMatch(new RegExp(`${path.replaceAll(/[[\]]/g, '\\$&')}.*\\(line ${line},`));
  });

  test('an issuer that is not configured is a mistake', async () => {
    const { code, err } = await run(
      'cases:\n  - { request: GET /x, issuer: "https://unknown.example", expect: allow }\n',
    );
    expect(code).toBe(1);
    expect(err).toMatch(
      /cases\[0\]\.issuer: must be one of the issuers .*https:\/\/old\.example\.com.* \(line 2,/,
    );
  });

  test('no token and no secret is in what it prints', async () => {
    const { out, err } = await run('cases:\n  - { request: GET /orders/1, token: {}, expect: allow }\n');
    expect(out + err).not.toMatch(/eyJ|not-used-here|0123456789abcdef/);
  });
});

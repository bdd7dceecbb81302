/**
 * The table of cases that every way in must answer alike: the examples of docs/guides/policies.md, and what a guide has no
 * room for. The gRPC front, each style of the HTTP front and each adapter of the library run it. Rows are only added:
 * what is here stays as it is.
 */
import { frontCaseConfig, frontCasesOf, type CaseGroup, type FrontCase } from './guide-cases.js';
import { athOf, jktOf, mintProof } from './proofs.js';
import { ISSUER, mintToken, replaceSegment, testKey } from './tokens.js';

export type { CaseGroup, FrontCase } from './guide-cases.js';

/** Groups of cases, each with the configuration that all its cases share; a process is needed per group alone. */
export function frontCaseGroups(): CaseGroup[] {
  return [...frontCasesOf(), SENDER, ODD];
}

/** A request as it is to be sent, with its token and proof in place. */
export interface CaseRequest {
  readonly method: string;
  /** Path and query exactly as they must arrive; a client that normalises paths cannot send all of them. */
  readonly target: string;
  readonly host: string;
  readonly url: string;
  /** In order; a name may come twice. Names as the row writes them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Mints the token and the proof of a case. Each call gives a request of its own, with a new proof.
 *
 * @param nowMs the moment at which the front's clock stands
 */
export function caseRequest(one: FrontCase, nowMs: number): CaseRequest {
  const nowS = Math.floor(nowMs / 1000);
  const token = tokenOf(one, nowS);
  const { method, target, host } = one.request;
  const url = `https://${host}${target}`;
  const proof = (path: string): string =>
    mintProof({
      key: testKey('ES256', 'proof'),
      claims: { htm: method, htu: `https://${host}${path}`, iat: nowS, ath: athOf(token) },
    });
  const fill = (text: string): string =>
    text.replaceAll('{token}', token).replace(/\{proof (\S+)\}/, (_all, path: string) => proof(path));
  return {
    method,
    host,
    target: fill(target),
    url: fill(url),
    headers: one.request.headers.map(([name, value]) => [name, fill(value)] as const),
  };
}

function tokenOf({ token }: FrontCase, nowS: number): string {
  if (token === 'none') return '';
  const times = { iat: nowS - 10, exp: nowS + 300 };
  if (token === 'bad') {
    const good = mintToken({ claims: times });
    return replaceSegment(good, 2, (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1));
  }
  const { auth_time: authTime, ...claims } = token;
  const [, minutes] = /^(\d+)m ago$/.exec(String(authTime)) ?? [];
  const authenticated = minutes === undefined ? authTime : nowS - Number(minutes) * 60;
  return mintToken({
    claims: { ...times, sub: 'alice', scope: undefined, auth_time: authenticated, ...claims },
  });
}

// ---- what the guide has no room for ----------------------------------------------------------------------------------

type Headers = FrontCase['request']['headers'];

/** A case for api.example.com, written in one line. */
function row(
  [name, line, headers, token]: readonly [string, string, Headers, FrontCase['token']],
  expected: FrontCase['expected'],
): FrontCase {
  const [method = '', target = ''] = line.split(' ');
  return {
    name,
    request: { method, target, host: 'api.example.com', headers },
    extensions: {},
    token,
    expected,
  };
}

const refused = (status: number, code: string): FrontCase['expected'] => ({ outcome: 'deny', status, code });
const AUTHORIZATION = ['authorization', 'Bearer {token}'] as const;
const BOUND = { cnf: { jkt: jktOf(testKey('ES256', 'proof')) } };
const DPOP = ['authorization', 'DPoP {token}'] as const;

const SENDER: CaseGroup = {
  title: 'DPoP',
  config: frontCaseConfig({ identity: { headers: { 'x-user-id': 'sub' } } }),
  cases: [
    row(['a proof', 'GET /orders?page=2', [DPOP, ['dpop', '{proof /orders}']], BOUND], {
      outcome: 'allow',
      set: [['x-user-id', 'alice']],
      removed: ['authorization', 'dpop', 'x_user_id'],
    }),
    row(
      ['a bound token as Bearer', 'GET /orders', [AUTHORIZATION], BOUND],
      refused(401, 'bound_token_as_bearer'),
    ),
    row(['no proof', 'GET /orders', [DPOP], BOUND], refused(401, 'dpop_proof_missing')),
    row(
      ['a proof for another path', 'GET /orders', [DPOP, ['dpop', '{proof /users}']], BOUND],
      refused(401, 'dpop_proof_target'),
    ),
    row(
      ['two proofs', 'GET /orders', [DPOP, ['dpop', '{proof /orders}'], ['dpop', 'x']], BOUND],
      refused(400, 'multiple_proofs'),
    ),
  ],
};

const ODD: CaseGroup = {
  title: 'Requests that no honest client sends',
  config: frontCaseConfig({
    identity: { headers: { 'x-user-id': 'sub', 'x-user-roles': { claim: 'roles', as: 'csv' } } },
    policies: { public: { access: 'anonymous' } },
    routes: [
      { paths: ['/public/**'], policy: 'public' },
      { paths: ['/**'], policy: 'default' },
    ],
  }),
  cases: [
    row(
      ['two Authorization headers', 'GET /orders', [AUTHORIZATION, AUTHORIZATION], {}],
      refused(400, 'multiple_credentials'),
    ),
    row(
      ['two tokens in one header', 'GET /orders', [['authorization', 'Bearer {token} {token}']], {}],
      refused(400, 'malformed_credential'),
    ),
    row(
      ['another scheme', 'GET /orders', [['authorization', 'Basic YTpi']], 'none'],
      refused(401, 'missing_credential'),
    ),
    row(
      ['a foreign issuer', 'GET /orders', [AUTHORIZATION], { iss: `${ISSUER}.evil.example` }],
      refused(401, 'untrusted_issuer'),
    ),
    row(
      ['an identity header in odd spellings', 'GET /orders', [AUTHORIZATION, ['X_User-Roles', 'root']], {}],
      { outcome: 'allow', set: [['x-user-id', 'alice']], removed: ['x-user-roles', 'x_user-roles'] },
    ),
    row(['a header of ours', 'GET /public/a', [['x-portcullis-subject', 'root']], 'none'], {
      outcome: 'allow',
      set: [],
      removed: ['x-portcullis-subject', 'x-user-id', 'authorization'],
    }),
    row(['a method in lower case', 'get /orders', [AUTHORIZATION], {}], refused(400, 'malformed_request')),
    row(['an encoded slash', 'GET /public/..%2forders', [], 'none'], refused(400, 'ambiguous_path')),
    row(['a backslash', 'GET /public\\..\\orders', [], 'none'], refused(400, 'ambiguous_path')),
    row(['a fragment', 'GET /public/a#/../orders', [], 'none'], refused(400, 'ambiguous_path')),
  ],
};

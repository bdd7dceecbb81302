// @ts-check
/** The demo's script: what is sent, and what must come back. */
import { accessTokenOf } from './own-tokens.mjs';
import { grpcCall, requestWithProof } from './oauth-client.mjs';

/**
 * @typedef {import('./oauth-client.mjs').Answer} Answer
 * @typedef {import('./world.mjs').World} World
 */

/**
 * @typedef {object} Expectation
 * @property {number} status
 * @property {string | null} [error] of the challenge; null: a challenge that names none
 * @property {Record<string, string | null>} [upstream] headers the service must have seen; null: not at all
 * @property {Record<string, string>} [headers] that the client must get
 */

/**
 * @typedef {object} Row
 * @property {string} sent
 * @property {Expectation} expected
 * @property {(world: World) => Promise<Answer>} run
 */

/**
 * @typedef {{ title: string, asksPortcullis?: boolean, rows: readonly Row[] }} Chapter
 *   asksPortcullis: clients cannot reach its ports in containers
 */

/** @param {string} token */
const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** @param {string | null} id */
const sawUser = (id) => ({ 'x-user-id': id });

/** @type {readonly Row[]} */
const gate = [
  {
    sent: 'no token',
    expected: { status: 401, error: null },
    run: (world) => world.send('/me'),
  },
  {
    sent: 'a token of the authorization server',
    expected: { status: 200, upstream: { ...sawUser('reader'), authorization: null } },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.reader) }),
  },
  {
    sent: 'the same, and “X-User-Id: root”',
    expected: { status: 200, upstream: sawUser('reader') },
    run: (world) => world.send('/me', { headers: { ...bearer(world.tokens.reader), 'x-user-id': 'root' } }),
  },
  {
    sent: '“Bearer garbage”',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/me', { headers: bearer('garbage') }),
  },
  {
    sent: 'the token, another subject written into it',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.tampered) }),
  },
  {
    sent: 'a token in the issuer’s name, by another key',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.forged) }),
  },
  {
    sent: 'a real token of another authorization server',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.foreign) }),
  },
  {
    sent: 'an expired token',
    expected: { status: 401, error: 'invalid_token' },
    run: async (world) => {
      await world.untilExpired();
      return world.send('/me', { headers: bearer(world.tokens.hasty) });
    },
  },
  {
    sent: 'two tokens in one header',
    expected: { status: 400, error: 'invalid_request' },
    run: (world) =>
      world.send('/me', {
        headers: { authorization: `Bearer ${world.tokens.reader}, Bearer ${world.tokens.writer}` },
      }),
  },
  {
    sent: 'a good token, a path that no route names',
    expected: { status: 403 },
    run: (world) => world.send('/elsewhere', { headers: bearer(world.tokens.reader) }),
  },
  {
    sent: 'a probe of /healthz: no Check, says envoy.yaml',
    expected: { status: 200 },
    run: (world) => world.send('/healthz'),
  },
];

/** @type {readonly Row[]} */
const policies = [
  {
    sent: 'POST of an order with scope orders:read',
    expected: { status: 403, error: 'insufficient_scope' },
    run: (world) => world.send('/orders/1', { method: 'POST', headers: bearer(world.tokens.reader) }),
  },
  {
    sent: 'the same with orders:write',
    expected: { status: 200, upstream: sawUser('writer') },
    run: (world) => world.send('/orders/1', { method: 'POST', headers: bearer(world.tokens.writer) }),
  },
  {
    sent: 'the back office, without a role',
    expected: { status: 403, error: 'insufficient_scope' },
    run: (world) => world.send('/back-office/', { headers: bearer(world.tokens.reader) }),
  },
  {
    sent: 'the back office, role admin',
    expected: { status: 200, upstream: { ...sawUser('admin'), 'x-user-roles': 'admin,auditor' } },
    run: (world) => world.send('/back-office/', { headers: bearer(world.tokens.admin) }),
  },
  {
    sent: 'CEL: claims.tenant == request.params.tenant',
    expected: { status: 200, upstream: sawUser('admin') },
    run: (world) => world.send('/tenants/acme/bills', { headers: bearer(world.tokens.admin) }),
  },
  {
    sent: 'another tenant’s path',
    expected: { status: 403, error: 'insufficient_scope' },
    run: (world) => world.send('/tenants/globex/bills', { headers: bearer(world.tokens.admin) }),
  },
  {
    sent: 'an optional route, “X-User-Id: root”, no token',
    expected: { status: 200, upstream: sawUser(null) },
    run: (world) => world.send('/hello', { headers: { 'x-user-id': 'root' } }),
  },
  {
    sent: 'the optional route with a bad token',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/hello', { headers: bearer(world.tokens.tampered) }),
  },
  {
    sent: 'a public path, “x_user_id: root”',
    expected: { status: 200, upstream: { ...sawUser(null), x_user_id: null, 'x-user-roles': null } },
    run: (world) => world.send('/public/', { headers: { x_user_id: 'root', 'x-user-roles': 'admin' } }),
  },
  {
    sent: '/public/..%2Forders/1',
    expected: { status: 400 },
    run: (world) => world.send('/public/..%2Forders/1'),
  },
  {
    sent: 'a browser’s preflight',
    expected: { status: 200, upstream: sawUser(null) },
    run: (world) =>
      world.send('/orders/1', {
        method: 'OPTIONS',
        headers: { origin: 'https://shop.example.com', 'access-control-request-method': 'GET' },
      }),
  },
  {
    sent: 'a script of an allowed origin, no token',
    expected: {
      status: 401,
      error: null,
      headers: { 'access-control-allow-origin': 'https://shop.example.com' },
    },
    run: (world) => world.send('/orders/1', { headers: { origin: 'https://shop.example.com' } }),
  },
  {
    sent: 'the token in a cookie',
    expected: { status: 200, upstream: { ...sawUser('reader'), cookie: 'theme=dark' } },
    run: (world) =>
      world.send('/me', { headers: { cookie: `theme=dark; access_token=${world.tokens.reader}` } }),
  },
  {
    sent: 'one token in a cookie, another in the header',
    expected: { status: 400, error: 'invalid_request' },
    run: (world) =>
      world.send('/me', {
        headers: { ...bearer(world.tokens.reader), cookie: `access_token=${world.tokens.writer}` },
      }),
  },
  {
    sent: 'a gRPC call without a token',
    expected: { status: 200, error: null, headers: { 'grpc-status': '16' } },
    run: (world) => grpcCall(world.gate, '/orders/shop.v1.Orders/Place'),
  },
  {
    sent: 'gRPC, orders.example.com: Envoy names the policy',
    expected: { status: 200, error: 'insufficient_scope', headers: { 'grpc-status': '7' } },
    run: (world) =>
      grpcCall(world.gate, '/shop.v1.Orders/Place', {
        ':authority': 'orders.example.com',
        ...bearer(world.tokens.reader),
      }),
  },
];

/** @type {readonly Row[]} */
const senderConstraint = [
  {
    sent: 'a DPoP-bound token, proof without nonce',
    expected: { status: 401, error: 'use_dpop_nonce' },
    run: async (world) =>
      (await requestWithProof(`${world.gate}/payments/7`, world.tokens.payer, world.dpopKey)).answer,
  },
  {
    sent: 'the same with the nonce it was given',
    expected: { status: 200, upstream: { ...sawUser('payer'), authorization: null, dpop: null } },
    run: async (world) => {
      const { answer, sent } = await requestWithProof(
        `${world.gate}/payments/7`,
        world.tokens.payer,
        world.dpopKey,
      );
      world.spent = sent;
      return answer;
    },
  },
  {
    sent: 'that request once more, recorded',
    expected: { status: 401, error: 'invalid_dpop_proof' },
    run: (world) => world.send('/payments/7', { headers: world.spent }),
  },
  {
    sent: 'the token stolen, proof by the thief’s own key',
    expected: { status: 401, error: 'invalid_dpop_proof' },
    run: async (world) => {
      const url = `${world.gate}/payments/7`;
      await requestWithProof(url, world.tokens.payer, world.thiefKey); // takes a nonce
      return (await requestWithProof(url, world.tokens.payer, world.thiefKey)).answer;
    },
  },
  {
    sent: 'the token stolen, sent as Bearer',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/payments/7', { headers: bearer(world.tokens.payer) }),
  },
  {
    sent: 'an unbound token where DPoP is required',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/payments/7', { headers: bearer(world.tokens.payerUnbound) }),
  },
  {
    sent: 'a certificate-bound token, no certificate',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.bank) }),
  },
];

/** @type {readonly Row[]} */
const otherTokens = [
  {
    sent: 'an opaque token: the server is asked',
    expected: { status: 200, upstream: { authorization: null } },
    run: (world) => world.send('/orders/1', { headers: bearer(world.tokens.opaque) }),
  },
  {
    sent: 'the same, revoked at the server a moment ago',
    expected: { status: 401, error: 'invalid_token' },
    run: async (world) => {
      await world.revokeOpaque();
      return world.send('/orders/1', { headers: bearer(world.tokens.opaque) });
    },
  },
  {
    sent: 'a client’s own token, with “tenant: root” in it',
    expected: { status: 200, upstream: { ...sawUser('warehouse'), 'x-tenant': 'acme' } },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.partner) }),
  },
  {
    sent: 'a token in its name, by another key',
    expected: { status: 401, error: 'invalid_token' },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.forgedPartner) }),
  },
];

/** @type {readonly Row[]} */
const revocation = [
  {
    sent: 'a token of a session',
    expected: { status: 200, upstream: sawUser('web-app') },
    run: (world) => world.send('/me', { headers: bearer(world.tokens.session) }),
  },
  {
    sent: 'the same; the server has sent us the logout',
    expected: { status: 401, error: 'invalid_token' },
    run: async (world) => {
      await world.signOut();
      return world.send('/me', { headers: bearer(world.tokens.session) });
    },
  },
  {
    sent: 'a token that was revoked here, by its text',
    expected: { status: 401, error: 'invalid_token' },
    run: async (world) => {
      await world.own?.revoke(world.tokens.lost);
      return world.send('/me', { headers: bearer(world.tokens.lost) });
    },
  },
];

/** @type {readonly Row[]} */
const ownTokens = [
  {
    sent: 'a JWT for a personal access token',
    expected: { status: 200, upstream: { ...sawUser('robot'), authorization: null } },
    run: async (world) => {
      world.issued.robot = await issuedBy(world.own?.robot());
      return world.send('/me', { headers: bearer(world.issued.robot) });
    },
  },
  {
    sent: 'the same, that personal access token revoked',
    expected: { status: 401, error: 'invalid_token' },
    run: async (world) => {
      await world.own?.revokeRobot();
      return world.send('/me', { headers: bearer(world.issued.robot) });
    },
  },
  {
    sent: 'a JWT for an assertion by a client’s own key',
    expected: { status: 200, upstream: { ...sawUser('warehouse'), 'x-tenant': 'acme' } },
    run: async (world) => {
      world.issued.partner = await issuedBy(world.own?.assertion());
      return world.send('/me', { headers: bearer(world.issued.partner) });
    },
  },
  {
    sent: 'that assertion once more, to the token endpoint',
    expected: { status: 400 },
    run: (world) => /** @type {Promise<Answer>} */ (world.own?.assertion()),
  },
  {
    sent: 'a user’s token, exchanged by an agent',
    expected: { status: 200, upstream: { ...sawUser('reader'), 'x-actor': 'writer' } },
    run: async (world) => {
      world.issued.agent = await issuedBy(world.own?.exchange(world.tokens.reader, world.tokens.writer));
      return world.send('/orders/1', { headers: bearer(world.issued.agent) });
    },
  },
  {
    sent: 'the same, to write: it was given no such scope',
    expected: { status: 403, error: 'insufficient_scope' },
    run: (world) => world.send('/orders/1', { method: 'POST', headers: bearer(world.issued.agent) }),
  },
];

/** @param {Promise<Answer> | undefined} answer */
const issuedBy = async (answer) => (answer === undefined ? '' : accessTokenOf(await answer));

/** In the order in which they are run: later rows use what earlier ones left in the world. */
/** @type {readonly Chapter[]} */
export const CHAPTERS = [
  { title: 'The gate', rows: gate },
  { title: 'Policies', rows: policies },
  { title: 'Sender-constrained tokens', rows: senderConstraint },
  { title: 'Other tokens', rows: otherTokens },
  { title: 'Revocation and logout', asksPortcullis: true, rows: revocation },
  { title: 'Tokens of our own', asksPortcullis: true, rows: ownTokens },
];

// @ts-check
/** Who asks for tokens in the demo, and what the authorization server says of them. */

/** The API's identifier: `resource` in a token request, `aud` in a token. */
export const DEMO_AUDIENCE = 'https://api.example.com';

/** The gate as a client of the authorization server, to ask about opaque tokens. */
export const DEMO_GATE = { id: 'gate', secret: 'gate-secret' };

/** Somebody's session at the authorization server, and the path at which it is ended there. */
export const DEMO_SESSION = { sub: 'web-app', sid: 'session-of-web-app' };
export const DEMO_SIGN_OUT = '/demo/sign-out';

/** The issuer whose clients sign for themselves, and the one that does. Its public key is in deploy/demo/clients. */
export const DEMO_PARTNER = { issuer: 'https://partners.example.com', id: 'warehouse' };

/** Where the authorization server reads a client's certificate: base64 of its DER. */
export const DEMO_CERTIFICATE_HEADER = 'x-demo-client-certificate';

/**
 * @typedef {object} DemoClient
 * @property {string} id
 * @property {string} secret
 * @property {string} [scope] that it may ask for
 * @property {Record<string, unknown>} [claims] more of its tokens
 * @property {number} [lifetimeS] of its tokens
 * @property {boolean} [certificateBound]
 * @property {boolean} [opaque] its tokens say nothing; whoever gets one has to ask
 */

/** @type {readonly DemoClient[]} */
export const DEMO_CLIENTS = [
  { id: 'reader', secret: 'reader-secret', scope: 'orders:read' },
  { id: 'writer', secret: 'writer-secret', scope: 'orders:read orders:write' },
  {
    id: 'admin',
    secret: 'admin-secret',
    scope: 'orders:read',
    claims: { roles: ['admin', 'auditor'], tenant: 'acme' },
  },
  { id: 'payer', secret: 'payer-secret', scope: 'payments' },
  { id: 'web-app', secret: 'web-app-secret', scope: 'orders:read', claims: { sid: DEMO_SESSION.sid } },
  { id: 'lost-laptop', secret: 'lost-laptop-secret', scope: 'orders:read' },
  { id: 'hasty', secret: 'hasty-secret', scope: 'orders:read', lifetimeS: 1 },
  { id: 'opaque', secret: 'opaque-secret', scope: 'orders:read', opaque: true },
  { id: 'bank', secret: 'bank-secret', scope: 'orders:read', certificateBound: true },
];

// @ts-check
/**
 * The demo's authorization server: npm `oidc-provider`, with JWT access tokens for one API, DPoP and
 * certificate-bound tokens, and back-channel logout. A program: PORT, HOST, ISSUER and LOGOUT_URI come from the
 * environment.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import Provider from 'oidc-provider';
import {
  DEMO_AUDIENCE,
  DEMO_CERTIFICATE_HEADER,
  DEMO_CLIENTS,
  DEMO_GATE,
  DEMO_SESSION,
  DEMO_SIGN_OUT,
} from './clients.mjs';

const SCOPES = 'orders:read orders:write payments';
const TOKEN_TTL_S = 600;

const port = Number(process.env['PORT'] ?? 9400);
const host = process.env['HOST'] ?? '127.0.0.1';
const issuer = process.env['ISSUER'] ?? `http://${host}:${port}`;

/** Where logouts are sent to; absent: nowhere. */
const logoutUri = process.env['LOGOUT_URI'];

/** @param {string} kid */
const signingKey = (kid) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
};

/** @param {string | undefined} clientId */
const clientOf = (clientId) => DEMO_CLIENTS.find((client) => client.id === clientId);

const provider = new Provider(issuer, {
  clients: [DEMO_GATE, ...DEMO_CLIENTS].map((/** @type {import('./clients.mjs').DemoClient} */ client) => ({
    client_id: client.id,
    client_secret: client.secret,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    ...(client.scope === undefined ? {} : { scope: client.scope }),
    id_token_signed_response_alg: 'ES256',
    tls_client_certificate_bound_access_tokens: client.certificateBound ?? false,
    ...(client === DEMO_GATE && logoutUri !== undefined
      ? { backchannel_logout_uri: logoutUri, backchannel_logout_session_required: true }
      : {}),
  })),
  jwks: { keys: [signingKey('demo-1')] },
  scopes: SCOPES.split(' '),
  cookies: { keys: ['demo'] },
  // Its own dispatcher refuses loopback addresses, and here everybody is on one.
  fetch: (url, options) => fetch(url, /** @type {any} */ ({ ...options, dispatcher: undefined })),
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  ttl: { ClientCredentials: (_ctx, _token, client) => clientOf(client.clientId)?.lifetimeS ?? TOKEN_TTL_S },
  extraTokenClaims: async (_ctx, token) => clientOf(token.clientId)?.claims ?? {},
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    backchannelLogout: { enabled: true },
    dPoP: { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      // A proxy that ends TLS would pass the certificate on like this, and strip the header from clients.
      getCertificate: (ctx) => {
        const der = ctx.get(DEMO_CERTIFICATE_HEADER);
        return der === '' ? undefined : new X509Certificate(Buffer.from(der, 'base64'));
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => DEMO_AUDIENCE,
      getResourceServerInfo: (_ctx, _resource, client) => ({
        scope: SCOPES,
        audience: DEMO_AUDIENCE,
        accessTokenFormat: clientOf(client.clientId)?.opaque ? 'opaque' : 'jwt',
        accessTokenTTL: clientOf(client.clientId)?.lifetimeS ?? TOKEN_TTL_S,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

/** Somebody signs out, as far as the server's clients hear of it: it sends them its own logout token. */
provider.use(async (ctx, next) => {
  if (ctx.method !== 'POST' || ctx.path !== DEMO_SIGN_OUT) return next();
  const gate = /** @type {any} */ (await provider.Client.find(DEMO_GATE.id));
  await gate.backchannelLogout(DEMO_SESSION.sub, DEMO_SESSION.sid);
  ctx.status = 204;
});

provider.on('server_error', (_ctx, error) => console.error(error));
provider.listen(port, host);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));

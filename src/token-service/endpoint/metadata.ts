import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';

/** What the metadata says. */
export interface MetadataParts {
  /** `tokens.issuer` */
  readonly issuer: string;
  /** Values of `grant_type` that are offered. */
  readonly grantTypes: readonly string[];
  /** undefined: `dpop.mode` is off. */
  readonly dpopAlgorithms: readonly string[] | undefined;
  /** Identity assertions are taken (draft-ietf-oauth-identity-assertion-authz-grant). */
  readonly takesIdentityAssertions: boolean;
}

const PATHS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'] as const;
const MAX_AGE_S = 300;
const AUTH_METHODS = ['client_secret_basic', 'client_secret_post'];

/**
 * Creates the routes of the authorization server's metadata. Under an issuer with a path they are served with that path
 * behind them too, as RFC 8414 3.1 forms the URL.
 *
 * @see RFC 8414 section 2
 */
export function createMetadataRouter(parts: () => MetadataParts): OpenAPIHono {
  const app = new OpenAPIHono();
  for (const path of PATHS) {
    app.openAPIRegistry.registerPath(describe(path));
    app.get(`${path}/*`, (c) => {
      const { issuer } = parts();
      const suffix = new URL(issuer).pathname.replace(/\/$/, '');
      if (c.req.path !== path && c.req.path !== path + suffix) return c.json({ error: 'not_found' }, 404);
      return c.json(metadataOf(parts()), 200, { 'cache-control': `public, max-age=${MAX_AGE_S}` });
    });
  }
  return app;
}

function metadataOf({ issuer, grantTypes, dpopAlgorithms, takesIdentityAssertions }: MetadataParts): object {
  const base = issuer.replace(/\/$/, '');
  return {
    issuer,
    token_endpoint: `${base}/oauth/token`,
    revocation_endpoint: `${base}/oauth/revoke`,
    introspection_endpoint: `${base}/oauth/introspect`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    introspection_endpoint_auth_methods_supported: AUTH_METHODS,
    ...(dpopAlgorithms === undefined ? {} : { dpop_signing_alg_values_supported: dpopAlgorithms }),
    ...(takesIdentityAssertions
      ? { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }
      : {}),
  };
}

function describe(path: string) {
  return createRoute({
    method: 'get',
    path,
    summary: 'Authorization server metadata (RFC 8414)',
    responses: {
      200: {
        description: 'Endpoints and abilities',
        content: { 'application/json': { schema: z.looseObject({ issuer: z.string() }) } },
      },
    },
  });
}

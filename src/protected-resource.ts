/** OAuth 2.0 Protected Resource Metadata: how a client finds out what this gate wants (RFC 9728). */
import type { Config } from './config/config.js';

/**
 * Makes the reader of the document. The resource is the first origin that is configured, or the first audience that
 * is an https URL; without either there is no document.
 *
 * @param config the one in force
 * @see RFC 9728 section 2
 */
export function createProtectedResource(config: () => Config): () => object | undefined {
  return () => {
    const current = config();
    const resource = resourceOf(current);
    if (resource === undefined) return undefined;
    const { dpop } = current;
    const scopes = scopesOf(current);
    return {
      resource,
      authorization_servers: current.issuers.map(({ issuer }) => issuer),
      bearer_methods_supported: bearerMethodsOf(current),
      ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
      ...(dpop.mode === 'off' ? {} : { dpop_signing_alg_values_supported: dpop.algorithms }),
      dpop_bound_access_tokens_required: dpop.mode === 'required',
    };
  };
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/**
 * Where a client finds the document of its resource: the well-known part stands between host and path. The URL is of
 * the resource and not of our port, so the proxy has to route it there.
 *
 * @param config the one in force
 * @returns an https or http URL in visible ASCII; undefined where no document is served
 * @see RFC 9728 sections 3.1 and 5.1
 */
export function resourceMetadataUrl(config: Config): string | undefined {
  const resource = resourceOf(config);
  if (config.server.public === undefined || resource === undefined || !URL.canParse(resource))
    return undefined;
  const { origin, search } = new URL(resource);
  return `${origin}${WELL_KNOWN}${pathOf(resource)}${search}`;
}

/**
 * @param suffix what follows the well-known part in a request's path, as it was sent
 * @returns whether the document at that path is that of the resource
 */
export function isResourceMetadataSuffix(config: Config, suffix: string): boolean {
  const resource = resourceOf(config);
  return resource !== undefined && URL.canParse(resource) && suffix === pathOf(resource);
}

/** A slash that ends the host is left out. */
function pathOf(resource: string): string {
  const { pathname } = new URL(resource);
  return pathname === '/' ? '' : pathname;
}

function resourceOf({ dpop, issuers }: Config): string | undefined {
  const audiences = issuers.flatMap((issuer) => issuer.audiences);
  return dpop.origins?.[0] ?? audiences.find((audience) => audience.startsWith('https://'));
}

/** RFC 9728 knows three places; a cookie is none of them. */
function bearerMethodsOf({ credentials }: Config): string[] {
  const methods = credentials.flatMap(({ header, query }) => {
    if (header !== undefined) return ['header'];
    return query === undefined ? [] : ['query'];
  });
  return [...new Set(methods)];
}

function scopesOf({ policies }: Config): string[] {
  const named = Object.values(policies).flatMap(({ scopes }) => [
    ...(scopes?.all ?? []),
    ...(scopes?.any ?? []),
  ]);
  return [...new Set(named)].sort();
}

import type { Config } from '../config/config.js';
import { createProtectedResource, isResourceMetadataSuffix } from '../protected-resource.js';
import { publishedKeysOf } from '../signing/key-set.js';

/** Documents, read for each request because a reload may change them; undefined: not configured. */
export interface PublicDocuments {
  /** The keys that identity tokens and issued tokens are signed with (RFC 7517 section 5). */
  jwks(): object | undefined;
  /**
   * OAuth 2.0 Protected Resource Metadata (RFC 9728 section 3.2).
   *
   * @param suffix what the request's path has after the well-known part; untrusted
   */
  protectedResource(suffix: string): object | undefined;
}

/** @param config the one in force */
export function createPublicDocuments(config: () => Config): PublicDocuments {
  const protectedResource = createProtectedResource(config);
  return {
    jwks: () => {
      const { tokens } = config();
      return tokens === undefined ? undefined : publishedKeysOf(tokens.keys);
    },
    protectedResource: (suffix) =>
      suffix === '' || isResourceMetadataSuffix(config(), suffix) ? protectedResource() : undefined,
  };
}

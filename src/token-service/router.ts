import { OpenAPIHono } from '@hono/zod-openapi';
import { createAdminRouter } from './admin/router.js';
import type { TokenServiceParts } from './build.js';
import { createIntrospectionRouter } from './endpoint/introspection.js';
import { createMetadataRouter } from './endpoint/metadata.js';
import { createRevocationRouter } from './endpoint/revocation.js';
import { createTokenRouter } from './endpoint/token.js';

/**
 * Creates the routes of the token service: token, revocation and introspection endpoints, metadata, admin API.
 *
 * @param parts of the configuration in force; read for each request
 */
export function createTokenServiceRouter(parts: () => TokenServiceParts): OpenAPIHono {
  const app = new OpenAPIHono();
  app.route(
    '/',
    createTokenRouter(() => parts().token),
  );
  app.route(
    '/',
    createRevocationRouter(() => parts().revocation),
  );
  app.route(
    '/',
    createIntrospectionRouter(() => parts().introspection),
  );
  app.route(
    '/',
    createMetadataRouter(() => parts().metadata),
  );
  app.route(
    '/',
    createAdminRouter(() => parts().admin),
  );
  return app;
}

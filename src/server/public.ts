/** The public port: what clients and upstreams may read without a credential. Absent from the configuration: closed. */
import { Hono } from 'hono';
import { listen, type HttpPort } from './admin.js';

/** Documents, read anew for each request because a reload may change them; undefined: not configured, 404. */
export interface PublicDocuments {
  /** The keys that identity tokens are signed with (RFC 7517 5). */
  jwks(): object | undefined;
  /** OAuth 2.0 Protected Resource Metadata (RFC 9728 3.2). */
  protectedResource(): object | undefined;
}

/** How long others may keep a document, seconds: a rotation overlaps for longer than this. */
const MAX_AGE_S = 300;

/** Opens the public port. @throws Error when the address can not be bound */
export async function startPublic(documents: PublicDocuments, address: string): Promise<HttpPort> {
  return listen(publicApp(documents), address);
}

/** The routes of the public port. */
export function publicApp(documents: PublicDocuments): Hono {
  const app = new Hono();
  const serveDocument = (path: string, type: string, read: () => object | undefined): void => {
    app.get(path, (c) => {
      const document = read();
      if (document === undefined) return c.json({ error: 'not found' }, 404);
      return c.body(JSON.stringify(document), 200, {
        'content-type': type,
        'cache-control': `public, max-age=${MAX_AGE_S}`,
        'access-control-allow-origin': '*',
      });
    });
  };
  serveDocument('/.well-known/jwks.json', 'application/jwk-set+json', () => documents.jwks());
  serveDocument('/.well-known/oauth-protected-resource', 'application/json', () =>
    documents.protectedResource(),
  );
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((_error, c) => c.json({ error: 'internal error' }, 500));
  return app;
}

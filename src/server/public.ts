/** The public port: what clients and upstreams may reach. Absent from the configuration: closed. */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Config } from '../config/config.js';
import type { PublicDocuments } from '../runtime/documents.js';
import { VERSION } from '../version.js';
import { createHttpApp } from '../web/http-app.js';
import { openHttpPort, type HttpPort } from './http-port.js';
import type { MountedService } from './mounted-service.js';

/** What the port is made of. */
export interface PublicPortOptions {
  readonly documents: PublicDocuments;
  readonly services: readonly MountedService[];
  /** The configuration in force. */
  readonly config: () => Pick<Config, 'server'>;
}

const MAX_BODY_BYTES = 64 * 1024;
/** How long others may keep a document, seconds: a rotation overlaps for longer than this. */
const MAX_AGE_S = 300;

/** Opens the public port. @throws Error when the address cannot be bound */
export async function startPublic(options: PublicPortOptions, address: string): Promise<HttpPort> {
  const { publicTls } = options.config().server;
  return openHttpPort(publicApp(options), { address, tls: publicTls });
}

/** The routes of the public port: the documents, those of the services, and their description in `/openapi.json`. */
export function publicApp({ documents, services, config }: PublicPortOptions): OpenAPIHono {
  const isTls = config().server.publicTls !== undefined;
  const app = createHttpApp({
    maxBodyBytes: MAX_BODY_BYTES,
    isTls: () => isTls,
    corsOrigins: () => config().server.cors?.origins ?? [],
    trustedProxies: () => config().server.trustedProxies,
  });
  serveDocument(app, {
    path: '/.well-known/jwks.json',
    type: 'application/jwk-set+json',
    summary: 'Public keys of the tokens that Portcullis signs (RFC 7517)',
    read: () => documents.jwks(),
  });
  serveDocument(app, {
    path: '/.well-known/oauth-protected-resource',
    type: 'application/json',
    summary: 'OAuth 2.0 protected resource metadata (RFC 9728)',
    read: (suffix) => documents.protectedResource(suffix),
    hasSuffix: true,
  });
  for (const { router } of services) if (router !== undefined) app.route('/', router);
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'Portcullis', version: VERSION } });
  return app;
}

interface ServedDocument {
  readonly path: string;
  readonly type: string;
  readonly summary: string;
  /** @param suffix what follows `path`, with its slash; empty unless `hasSuffix` */
  readonly read: (suffix: string) => object | undefined;
  /** true: also served below `path`, for a resource that has a path (RFC 9728 section 3.1). */
  readonly hasSuffix?: boolean;
}

function serveDocument(app: OpenAPIHono, document: ServedDocument): void {
  const { path, type, summary, read } = document;
  const route = createRoute({
    method: 'get',
    path,
    summary,
    responses: {
      200: { description: summary, content: { [type]: { schema: z.looseObject({}) } } },
      404: { description: 'Not configured' },
    },
  });
  app.openAPIRegistry.registerPath(route);
  const answer = (c: Context): Response => {
    const found = read(new URL(c.req.url).pathname.slice(path.length));
    if (found === undefined) return c.json({ error: 'not_found' }, 404);
    const headers = { 'content-type': type, 'cache-control': `public, max-age=${MAX_AGE_S}` };
    return c.body(JSON.stringify(found), 200, headers);
  };
  app.get(path, answer);
  if (document.hasSuffix === true) app.get(`${path}/*`, answer);
}

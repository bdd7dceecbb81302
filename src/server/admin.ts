/** The admin port: metrics, health, key-set control, log level. Loopback unless the operator says otherwise. */
import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { parseAddress } from '../config/address.js';

/** What the admin port shows and does; one process or many stand behind it. */
export interface AdminBackend {
  metrics(): Promise<{ contentType: string; text: string }>;
  readiness(): Promise<Readiness>;
  status(): Promise<object>;
  /**
   * Fetches key sets anew.
   *
   * @param issuer one of the configured; undefined: all
   * @param drop forget the old set at once, instead of keeping it while the fetch fails
   * @returns undefined when the issuer is not configured
   */
  invalidate(issuer: string | undefined, drop: boolean): Promise<readonly object[] | undefined>;
  /** @returns false when there is no such level */
  setLogLevel(level: string): Promise<boolean>;
}

/** Can every request be decided? */
export interface Readiness {
  readonly ready: boolean;
  /** Issuers without keys, and other dependencies that are missing; from the configuration. */
  readonly lacking: readonly string[];
}

/** An open HTTP port. */
export interface HttpPort {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens the admin port. @throws Error when the address can not be bound */
export async function startAdmin(backend: AdminBackend, address: string): Promise<HttpPort> {
  return listen(adminApp(backend), address);
}

/** The routes of the admin port. */
export function adminApp(backend: AdminBackend): Hono {
  const app = new Hono();
  // A page in a browser on this machine must not be able to drop keys: browsers send one of these, tools do not.
  app.use(async (c, next) => {
    if (c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined) {
      return c.json({ error: 'not for browsers' }, 403);
    }
    return next();
  });
  app.use(bodyLimit({ maxSize: 4096 }));
  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const readiness = await backend.readiness();
    return c.json(readiness, readiness.ready ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { contentType, text } = await backend.metrics();
    return c.body(text, 200, { 'content-type': contentType });
  });
  app.get('/status', async (c) => c.json(await backend.status()));
  app.post('/jwks/invalidate', async (c) => {
    const outcome = await backend.invalidate(c.req.query('issuer'), c.req.query('drop') === 'true');
    return outcome === undefined ? c.json({ error: 'no such issuer' }, 404) : c.json({ issuers: outcome });
  });
  app.post('/log-level', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined);
    const level = levelOf(body);
    if (level === undefined || !(await backend.setLogLevel(level))) {
      return c.json({ error: 'level must be one of trace, debug, info, warn, error, fatal, silent' }, 400);
    }
    return c.json({ level });
  });
  app.all('/jwks/invalidate', (c) => c.json({ error: 'use POST' }, 405, { allow: 'POST' }));
  app.all('/log-level', (c) => c.json({ error: 'use POST' }, 405, { allow: 'POST' }));
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : c.json({ error: 'internal error' }, 500),
  );
  return app;
}

function levelOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('level' in body)) return undefined;
  return typeof body.level === 'string' ? body.level : undefined;
}

/** Serves an app on `host:port`; idle and slow clients are cut by Node's own limits. */
export async function listen(app: Hono, address: string): Promise<HttpPort> {
  const parsed = parseAddress(address);
  if (parsed?.kind !== 'tcp') throw new Error(`${address}: must be host:port`);
  const { host, port } = parsed;
  const server = await new Promise<ServerType>((resolve, reject) => {
    const opening: ServerType = serve({ fetch: app.fetch, hostname: host, port }, () => resolve(opening));
    opening.once('error', reject);
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => close(server),
  };
}

async function close(server: ServerType): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}

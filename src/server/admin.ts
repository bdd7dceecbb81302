/** The admin port: metrics, health, key-set control, log level. Loopback unless the operator says otherwise. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Readiness } from '../runtime/status.js';
import { createHttpApp } from '../web/http-app.js';
import { requireKnownHost } from './admin-host.js';
import { openHttpPort, type HttpPort } from './http-port.js';
import type { MountedService } from './mounted-service.js';
import type { ConfigStatus } from './reload-status.js';

/** What the admin port shows and does; one process or many stand behind it. */
export interface AdminBackend {
  metrics(): Promise<{ contentType: string; text: string }>;
  readiness(): Promise<Readiness>;
  status(): Promise<object>;
  /**
   * Fetches key sets again.
   *
   * @param issuer one of the configured; undefined: all
   * @param drop forget the old set at once, instead of keeping it while the fetch fails
   * @returns undefined when the issuer is not configured
   */
  invalidate(issuer: string | undefined, drop: boolean): Promise<readonly object[] | undefined>;
  /** @returns false when there is no such level */
  setLogLevel(level: string): Promise<boolean>;
}

/** How the port is guarded, and what is mounted on it. */
export interface AdminPortOptions {
  /** `server.adminHosts`, as configured now. */
  readonly hosts: () => readonly string[];
  readonly services: readonly MountedService[];
  /** Which configuration is in force, and what came of the latest reload. */
  readonly config: () => ConfigStatus;
}

const MAX_BODY_BYTES = 64 * 1024;

/** Opens the admin port. @throws Error when the address cannot be bound */
export async function startAdmin(
  backend: AdminBackend,
  { address, ...options }: AdminPortOptions & { readonly address: string },
): Promise<HttpPort> {
  return openHttpPort(adminApp(backend, options), { address, tls: undefined });
}

/** The routes of the admin port. */
export function adminApp(backend: AdminBackend, { hosts, services, config }: AdminPortOptions): OpenAPIHono {
  const app = createHttpApp({
    maxBodyBytes: MAX_BODY_BYTES,
    isTls: () => false,
    corsOrigins: () => [],
    trustedProxies: () => [],
  });
  app.use(requireKnownHost(hosts));
  // A page in a browser on this machine must not be able to drop keys: browsers send one of these, tools do not.
  app.use(async (c, next) => {
    if (c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined) {
      return c.json({ error: 'not for browsers' }, 403);
    }
    return next();
  });
  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const readiness = await backend.readiness();
    return c.json({ ...readiness, config: config() }, readiness.ready ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { contentType, text } = await backend.metrics();
    return c.body(text, 200, { 'content-type': contentType });
  });
  app.get('/status', async (c) => c.json({ ...(await backend.status()), config: config() }));
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
  for (const { adminRouter } of services) if (adminRouter !== undefined) app.route('/', adminRouter);
  return app;
}

function levelOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('level' in body)) return undefined;
  return typeof body.level === 'string' ? body.level : undefined;
}

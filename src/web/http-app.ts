/** What every HTTP port of ours has in common: bounds, security headers, CORS, the client's address, errors as JSON. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { findClientAddress } from './client-address.js';

/** How a port differs from the others. All but the first may change with a reload, so they are read per request. */
export interface HttpAppOptions {
  /** Largest request body, bytes. */
  readonly maxBodyBytes: number;
  /** true: browsers are told to come back over TLS only. */
  readonly isTls: () => boolean;
  /** Origins whose pages may read answers; empty: none. */
  readonly corsOrigins: () => readonly string[];
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: () => readonly string[];
}

const HSTS = 'max-age=31536000';

/** Of answers that say nothing else: they are not pages, and must not be cached or framed. */
const DEFAULTS = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cache-control', 'no-store'],
] as const;

/** Names of errors by status, as OAuth spells them. Anything else is `invalid_request` below 500. */
const ERRORS: Readonly<Record<number, string>> = {
  401: 'invalid_client',
  403: 'forbidden',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
};

/**
 * Creates the app of an HTTP port, without routes. Errors that no route answers itself are JSON, and never hold the
 * words of an exception.
 */
export function createHttpApp(options: HttpAppOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.use(securityHeaders(options.isTls));
  app.use(findClientAddress(options.trustedProxies));
  app.use(configuredCors(options.corsOrigins));
  app.use(bodyLimit({ maxSize: options.maxBodyBytes, onError: (c) => answer(c, 413) }));
  app.notFound((c) => answer(c, 404));
  app.onError((error, c) => answer(c, error instanceof HTTPException ? error.status : 500));
  return app;
}

function answer(c: Context, status: number): Response {
  const error = status >= 500 ? 'server_error' : (ERRORS[status] ?? 'invalid_request');
  return c.json({ error }, status as 400);
}

function securityHeaders(isTls: () => boolean): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('x-content-type-options', 'nosniff');
    for (const [name, value] of DEFAULTS) if (!c.res.headers.has(name)) c.header(name, value);
    if (isTls()) c.header('strict-transport-security', HSTS);
  };
}

function configuredCors(origins: () => readonly string[]): MiddlewareHandler {
  const allow = cors({
    origin: (origin) => (origins().includes(origin) ? origin : null),
    allowHeaders: ['authorization', 'content-type', 'dpop'],
    exposeHeaders: ['dpop-nonce', 'www-authenticate', 'retry-after'],
    maxAge: 600,
  });
  // Without configured origins the answers do not even vary by it.
  return (c, next) => (origins().length === 0 ? next() : allow(c, next));
}

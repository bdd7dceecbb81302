import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { RecordedRequestError } from '../../fronts/envoy/recorded-request.js';
import type { IssuerKeysStatus } from '../../jwks/key-status.js';
import { MAX_DENIALS, type RecentDenial } from '../../observability/recent-denials.js';

/** What the page `/admin/` shows of the running server. Nothing of it holds a credential. */
export interface Insights {
  /** @returns the latest denials, newest first */
  denials(limit: number): Promise<readonly RecentDenial[]>;
  /** @returns the key sets that tokens are verified with */
  keys(): Promise<readonly IssuerKeysStatus[]>;
}

/** What the routes are made of. */
export interface InsightsRouterOptions extends Insights {
  /** Lets administrators pass. @throws whatever `refuse` turns into an answer */
  readonly authorize: (c: Context) => Promise<unknown>;
  readonly refuse: (c: Context, error: unknown) => Response;
  /**
   * Runs a request through the policies; spends nothing.
   *
   * @throws RecordedRequestError where it is no request
   */
  readonly explain: (request: unknown) => Promise<object>;
}

const DEFAULT_LIMIT = 100;
/** Each explanation builds a gate of its own. */
const MAX_EXPLAINING = 1;

const limitQuery = z.coerce.number().int().min(1).max(MAX_DENIALS).default(DEFAULT_LIMIT);
const anyObject = z.looseObject({});
const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const ok = (description: string, schema: z.ZodType) => ({
  200: { description, content: json(schema) },
  401: { description: 'No token, or one that is not valid' },
  403: { description: 'Not an administrator’s token' },
});

const ROUTES = [
  createRoute({
    method: 'get',
    path: '/admin/denials',
    summary: 'The requests that were refused last, newest first; administrators only',
    request: { query: z.object({ limit: limitQuery.optional() }) },
    responses: ok(
      'As in the decision log, with the time in seconds',
      z.object({ denials: z.array(anyObject) }),
    ),
  }),
  createRoute({
    method: 'get',
    path: '/admin/keys',
    summary: 'The key sets that tokens are verified with; administrators only',
    responses: ok('By issuer; no key material', z.object({ issuers: z.array(anyObject) })),
  }),
  createRoute({
    method: 'post',
    path: '/admin/explain',
    summary: 'Shows how a request would be decided; administrators only',
    request: { body: { content: json(anyObject), description: 'As for `portcullis explain --request`' } },
    responses: ok('Stage by stage', anyObject),
  }),
];

/** Creates the routes that the page `/admin/` needs besides the admin API. */
export function createInsightsRouter(options: InsightsRouterOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  for (const route of ROUTES) app.openAPIRegistry.registerPath(route);
  const guarded =
    (handle: (c: Context) => Promise<Response>) =>
    async (c: Context): Promise<Response> => {
      try {
        await options.authorize(c);
        const response = await handle(c);
        response.headers.set('cache-control', 'no-store');
        return response;
      } catch (error) {
        return options.refuse(c, error);
      }
    };
  app.get(
    '/admin/denials',
    guarded((c) => listDenials(c, options)),
  );
  app.get(
    '/admin/keys',
    guarded(async (c) => c.json({ issuers: await options.keys() })),
  );
  app.post('/admin/explain', guarded(createExplain(options)));
  return app;
}

async function listDenials(c: Context, insights: Insights): Promise<Response> {
  const limit = limitQuery.safeParse(c.req.query('limit'));
  if (!limit.success) return refuseInput(c, `limit must be a number from 1 to ${MAX_DENIALS}`);
  return c.json({ denials: await insights.denials(limit.data) });
}

function createExplain({ explain }: InsightsRouterOptions): (c: Context) => Promise<Response> {
  let running = 0;
  return async (c) => {
    if (c.req.header('content-type')?.split(';')[0]?.trim() !== 'application/json') {
      return c.json({ error: 'unsupported_media_type', details: 'the body must be application/json' }, 415);
    }
    const request = await readJson(c);
    if (request === undefined) return refuseInput(c, 'the body must be JSON');
    if (running >= MAX_EXPLAINING) {
      c.header('retry-after', '1');
      return c.json({ error: 'too_many_requests', details: 'another request is being tested' }, 429);
    }
    running++;
    try {
      return c.json(await explain(request));
    } catch (error) {
      if (error instanceof RecordedRequestError) return refuseInput(c, error.message);
      throw error;
    } finally {
      running--;
    }
  };
}

async function readJson(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return undefined;
  }
}

function refuseInput(c: Context, details: string): Response {
  return c.json({ error: 'invalid_request', details }, 400);
}

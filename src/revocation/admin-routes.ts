import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from '../ports.js';
import { pageRequest, revocationRequest, type RevocationRequest, revokeRequest } from './admin-requests.js';
import type { Revocation } from './revocation.js';
import type { RevocationFactory } from './revocation-factory.js';
import type { RevocationService } from './revocation-service.js';
import { RevocationsFullError, RevocationStoreUnavailableError } from './revocation-store.js';

/** Revokes a token at its issuer (RFC 7009). @throws Error when the issuer did not take it */
export type RevokeAtIssuer = (token: string, hint: string | undefined) => Promise<void>;

/** What the routes work with. */
export interface RevocationRoutesOptions {
  readonly service: RevocationService;
  readonly factory: RevocationFactory;
  readonly revokeAtIssuer: RevokeAtIssuer;
  readonly logger: Logger;
}

const SHAPES = '{issuer, jti}, {issuer, sid}, {issuer, sub, before?}, {issuer, clientId, before?} or {token}';

/** Creates the routes of the admin port that revoke. Who may reach them is the port's business. Answers hold no token. */
export function createRevocationRoutes(options: RevocationRoutesOptions): Hono {
  const { service, factory } = options;
  const app = new Hono();
  app.post('/revocations', async (c) => {
    const request = revocationRequest.safeParse(await readBody(c));
    if (!request.success) return refuse(c, `must be one of ${SHAPES}, with expiresIn? and reason?`);
    const revocation = createRevocation(request.data, factory);
    if (revocation === undefined) return refuse(c, 'issuer must be one of the configured issuers');
    return guarded(c, async () => {
      const kept = await service.revoke(revocation);
      audit(options, 'revoke', kept);
      return c.json({ id: kept.id, expiresAt: kept.expiresAtS }, 201);
    });
  });
  app.get('/revocations', (c) => {
    const page = pageRequest.safeParse(c.req.query());
    if (!page.success) return refuse(c, 'limit must be 1 to 1000, after an id');
    const { limit, after } = page.data;
    return c.json({ records: service.page({ limit, after }).map(describe) });
  });
  app.delete('/revocations/:id', (c) =>
    guarded(c, async () => {
      const id = c.req.param('id');
      if (!(await service.withdraw(id))) return c.json({ error: 'not_found' }, 404);
      options.logger.info({ audit: 'withdraw', id }, 'audit');
      return c.body(null, 204);
    }),
  );
  app.post('/revoke', (c) => revokeEverywhere(c, options));
  app.all('/revocations', (c) => c.json({ error: 'use GET or POST' }, 405, { allow: 'GET, POST' }));
  app.all('/revocations/:id', (c) => c.json({ error: 'use DELETE' }, 405, { allow: 'DELETE' }));
  app.all('/revoke', (c) => c.json({ error: 'use POST' }, 405, { allow: 'POST' }));
  return app;
}

/** Here first: whatever the issuer says, the token is refused from now on. */
async function revokeEverywhere(c: Context, options: RevocationRoutesOptions): Promise<Response> {
  const request = revokeRequest.safeParse(await readBody(c));
  if (!request.success) return refuse(c, 'must be {token, tokenTypeHint?}');
  const { token, tokenTypeHint } = request.data;
  return guarded(c, async () => {
    const kept = await options.service.revoke(options.factory.ofToken(token, { source: 'revoke' }));
    audit(options, 'revoke', kept);
    const record = { id: kept.id, expiresAt: kept.expiresAtS };
    try {
      await options.revokeAtIssuer(token, tokenTypeHint);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      options.logger.warn(
        { issuer: kept.issuer, reason },
        'the issuer did not revoke a token; it is refused here',
      );
      return c.json(
        { error: 'issuer_failed', details: 'it is refused here, but not revoked at its issuer', ...record },
        502,
      );
    }
    return c.json(record);
  });
}

function createRevocation(request: RevocationRequest, factory: RevocationFactory): Revocation | undefined {
  const { expiresIn: expiresInS, reason } = request;
  const details = { source: 'admin', expiresInS, reason } as const;
  if ('token' in request) return factory.ofToken(request.token, details);
  const { issuer } = request;
  if ('jti' in request) return factory.ofClaim({ kind: 'jti', issuer, value: request.jti }, details);
  if ('sid' in request) return factory.ofClaim({ kind: 'sid', issuer, value: request.sid }, details);
  const withBefore = { ...details, beforeS: request.before };
  return 'sub' in request
    ? factory.ofClaim({ kind: 'sub', issuer, value: request.sub }, withBefore)
    : factory.ofClaim({ kind: 'client', issuer, value: request.clientId }, withBefore);
}

const NAMES = { jti: 'jti', sid: 'sid', sub: 'sub', client: 'clientId', token: 'tokenHash' } as const;

/** As a record of the list: what was asked for, and for a token the hash of its text. */
function describe(revocation: Revocation): object {
  const { id, kind, issuer, value, subject, jti, beforeS, expiresAtS, createdAtMs, source, reason } =
    revocation;
  return {
    id,
    ...(issuer === '' ? {} : { issuer }),
    [NAMES[kind]]: value,
    ...(jti === undefined ? {} : { jti }),
    ...(subject === undefined ? {} : { sub: subject }),
    ...(beforeS === undefined ? {} : { before: beforeS }),
    createdAt: Math.floor(createdAtMs / 1000),
    expiresAt: expiresAtS,
    source,
    ...(reason === undefined ? {} : { reason }),
  };
}

function audit({ logger }: RevocationRoutesOptions, action: string, { id, kind, issuer }: Revocation): void {
  logger.info({ audit: action, id, kind, issuer }, 'audit');
}

const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;

/** @throws HTTPException 415: a browser sends no JSON to another origin without asking first */
async function readBody(c: Context): Promise<unknown> {
  if (!JSON_TYPE.test(c.req.header('content-type') ?? ''))
    throw new HTTPException(415, { res: c.json({ error: 'the body must be application/json' }, 415) });
  try {
    return await c.req.json();
  } catch (error) {
    // Anything but a wrong text, such as a body that is too long, is answered by the port.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function refuse(c: Context, details: string): Response {
  return c.json({ error: 'invalid_request', details }, 400);
}

async function guarded(c: Context, run: () => Promise<Response>): Promise<Response> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RevocationsFullError)
      return c.json({ error: 'revocations_full', details: error.message }, 507);
    if (error instanceof RevocationStoreUnavailableError)
      return c.json({ error: 'revocation_unavailable' }, 503, { 'retry-after': '1' });
    throw error;
  }
}

import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from '../../ports.js';
import { clientAddressOf } from '../../web/client-address.js';
import { isTokenId } from '../personal-access-token.js';
import type { TokenRecord, TokenStore } from '../store.js';
import { AdminError, answerAdminError, toAdminError } from './admin-error.js';
import { authenticateAdministrator, type AdministratorOptions } from './administrator.js';
import { readBody, readQuery } from './input.js';
import { ADMIN_ROUTES } from './routes.js';
import {
  batchBody,
  emptyBody,
  getQuery,
  issueBody,
  listQuery,
  registerBody,
  revokeBody,
  updateBody,
} from './schemas.js';
import type { TokenAdmin } from './token-admin.js';

/** What the API is made of. Read for each request, since a reload may change it. */
export interface AdminParts extends AdministratorOptions {
  readonly store: TokenStore;
  readonly admin: TokenAdmin;
  readonly logger: Logger;
  readonly metrics: { adminAction(action: AdminAction, outcome: AdminOutcome): void };
}

/** What is counted and audited. */
export type AdminAction = 'list' | 'get' | 'batch' | 'issue' | 'register' | 'update' | 'revoke' | 'restore';
/** How it ended: done, not allowed, refused for its content or state, or failed through a fault of ours. */
export type AdminOutcome = 'ok' | 'denied' | 'refused' | 'failed';

const READS: ReadonlySet<AdminAction> = new Set<AdminAction>(['list', 'get', 'batch']);
const DEFAULT_LIMIT = 100;

type Handle = (c: Context, parts: AdminParts) => Promise<Response>;

/** Creates the routes of the admin API. */
export function createAdminRouter(parts: () => AdminParts): OpenAPIHono {
  const app = new OpenAPIHono();
  for (const route of ADMIN_ROUTES) app.openAPIRegistry.registerPath(route);
  const on = (method: string, path: string, action: AdminAction, handle: Handle): void => {
    app.on(method, path, (c) => run(c, { action, handle, parts: parts() }));
  };
  on('GET', '/admin/tokens', 'list', list);
  on('POST', '/admin/tokens', 'issue', issue);
  on('POST', '/admin/tokens/batch', 'batch', batch);
  on('GET', '/admin/tokens/:tokenId', 'get', get);
  on('PUT', '/admin/tokens/:tokenId', 'register', register);
  on('PATCH', '/admin/tokens/:tokenId', 'update', update);
  on('PUT', '/admin/tokens/:tokenId/revoke', 'revoke', revoke);
  on('PUT', '/admin/tokens/:tokenId/restore', 'restore', restore);
  return app;
}

async function run(
  c: Context,
  { action, handle, parts }: { action: AdminAction; handle: Handle; parts: AdminParts },
): Promise<Response> {
  const { logger, metrics } = parts;
  let by: string | undefined;
  const conclude = (outcome: AdminOutcome, response: Response): Response => {
    metrics.adminAction(action, outcome);
    if (READS.has(action) && outcome !== 'denied') return response;
    const tokenId: unknown = c.get('changed') ?? c.req.param('tokenId');
    const { status } = response;
    const address = clientAddressOf(c);
    logger.audit?.({ action: `token_${action}`, outcome, by, tokenId: textOf(tokenId), status, address });
    logger.info({ event: 'audit', action, outcome, by, tokenId, status, address }, 'audit');
    return response;
  };
  try {
    by = await authenticateAdministrator(c, parts);
    const response = await handle(c, parts);
    response.headers.set('cache-control', 'no-store');
    return conclude('ok', response);
  } catch (thrown) {
    const error = toAdminError(thrown, logger);
    const isDenied = error.code === 'unauthorized' || error.code === 'forbidden';
    const outcome = isDenied ? 'denied' : error.status >= 500 ? 'failed' : 'refused';
    return conclude(outcome, answerAdminError(c, error));
  }
}

const list: Handle = async (c, { store }) => {
  const { includeSecretPhc = false, limit = DEFAULT_LIMIT, ...query } = readQuery(c, listQuery);
  const records = await store.list({ ...withoutUndefined(query), limit });
  return c.json({ records: records.map((record) => show(record, includeSecretPhc)) });
};

const get: Handle = async (c, { store }) => {
  const { includeSecretPhc = false } = readQuery(c, getQuery);
  const record = await store.get(tokenIdOf(c));
  if (record === undefined) throw new AdminError('not_found', 'there is no such token');
  return c.json({ record: show(record, includeSecretPhc) });
};

const batch: Handle = async (c, { store }) => {
  const { tokenIds, includeSecretPhc = false } = await readBody(c, batchBody);
  const ids = [...new Set(tokenIds)];
  const records = new Map((await store.getMany(ids)).map((record) => [record.tokenId, record]));
  const found = ids.flatMap((id) => records.get(id) ?? []).map((record) => show(record, includeSecretPhc));
  return c.json({ found, missing: ids.filter((id) => !records.has(id)) });
};

const issue: Handle = async (c, { admin }) => {
  const { token, record } = await admin.issue(await readBody(c, issueBody));
  c.set('changed', record.tokenId);
  return c.json({ token, record: show(record, false) }, 201);
};

const register: Handle = async (c, { admin }) => {
  const { isNew, record } = await admin.register(tokenIdOf(c), await readBody(c, registerBody));
  return c.json({ record: show(record, false) }, isNew ? 201 : 200);
};

const update: Handle = async (c, { admin }) => {
  await admin.update(tokenIdOf(c), await readBody(c, updateBody));
  return c.body(null, 204);
};

const revoke: Handle = async (c, { admin }) => {
  await admin.revoke(tokenIdOf(c), await readBody(c, revokeBody, true));
  return c.body(null, 204);
};

const restore: Handle = async (c, { admin }) => {
  await readBody(c, emptyBody, true);
  await admin.restore(tokenIdOf(c));
  return c.body(null, 204);
};

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function tokenIdOf(c: Context): string {
  const tokenId = c.req.param('tokenId') ?? '';
  if (!isTokenId(tokenId))
    throw new AdminError('invalid_request', 'tokenId must be 1 to 64 of A-Z a-z 0-9 _ -');
  return tokenId;
}

/** The record as it is shown: the hash only where it was asked for. */
function show({ secretPhc, forgetAt: _forgetAt, ...record }: TokenRecord, includeSecretPhc: boolean): object {
  return includeSecretPhc ? { ...record, secretPhc } : record;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

import { createRoute, z } from '@hono/zod-openapi';
import {
  adminErrorSchema,
  batchBody,
  getQuery,
  issueBody,
  listQuery,
  recordSchema,
  registerBody,
  revokeBody,
  updateBody,
} from './schemas.js';

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const body = (schema: z.ZodType) => ({ body: json(schema) });
const params = z.object({ tokenId: z.string().openapi({ param: { name: 'tokenId', in: 'path' } }) });
const record = json(z.object({ record: recordSchema }));
const refusal = (description: string) => ({ description, ...json(adminErrorSchema) });
const REFUSALS = {
  400: refusal('The request is malformed'),
  401: refusal('No valid token'),
  403: refusal('Not an administrator'),
  429: refusal('Too many failed attempts'),
  503: refusal('Try again later'),
};
const MISSING = { 404: refusal('There is no such token') };
const TAKEN = { 409: refusal('There is another one of this id') };

/** The routes of the admin API, as `/openapi.json` describes them. */
export const ADMIN_ROUTES = [
  createRoute({
    method: 'get',
    path: '/admin/tokens',
    summary: 'List tokens, by tokenId',
    request: { query: listQuery },
    responses: {
      200: { description: 'A page', ...json(z.object({ records: z.array(recordSchema) })) },
      ...REFUSALS,
    },
  }),
  createRoute({
    method: 'post',
    path: '/admin/tokens',
    summary: 'Issue a token; its secret is shown this once',
    request: body(issueBody),
    responses: {
      201: { description: 'Issued', ...json(z.object({ token: z.string(), record: recordSchema })) },
      ...REFUSALS,
      ...TAKEN,
    },
  }),
  createRoute({
    method: 'post',
    path: '/admin/tokens/batch',
    summary: 'Read up to 100 tokens',
    request: body(batchBody),
    responses: {
      200: {
        description: 'Those that exist',
        ...json(z.object({ found: z.array(recordSchema), missing: z.array(z.string()) })),
      },
      ...REFUSALS,
    },
  }),
  createRoute({
    method: 'get',
    path: '/admin/tokens/{tokenId}',
    summary: 'Read a token',
    request: { params, query: getQuery },
    responses: { 200: { description: 'The record', ...record }, ...REFUSALS, ...MISSING },
  }),
  createRoute({
    method: 'put',
    path: '/admin/tokens/{tokenId}',
    summary: 'Register a token that was made elsewhere',
    request: { params, ...body(registerBody) },
    responses: {
      200: { description: 'The very same was there already', ...record },
      201: { description: 'Registered', ...record },
      ...REFUSALS,
      ...TAKEN,
    },
  }),
  createRoute({
    method: 'patch',
    path: '/admin/tokens/{tokenId}',
    summary: 'Change a token, atomically',
    request: { params, ...body(updateBody) },
    responses: { 204: { description: 'Changed' }, ...REFUSALS, ...MISSING },
  }),
  createRoute({
    method: 'put',
    path: '/admin/tokens/{tokenId}/revoke',
    summary: 'Revoke a token and all that was issued for it',
    request: { params, ...body(revokeBody) },
    responses: { 204: { description: 'Revoked' }, ...REFUSALS, ...MISSING },
  }),
  createRoute({
    method: 'put',
    path: '/admin/tokens/{tokenId}/restore',
    summary: 'Take a revocation back',
    request: { params },
    responses: { 204: { description: 'Restored' }, ...REFUSALS, ...MISSING },
  }),
] as const;

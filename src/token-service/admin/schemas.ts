import { z } from '@hono/zod-openapi';
import { isTokenId } from '../personal-access-token.js';
import { parseScryptPhc } from '../scrypt-phc.js';
import { MAX_GET_MANY, MAX_LIST_ENTRIES } from '../store.js';

/** The end of the year 9999, seconds. */
const MAX_TIME_S = 253_402_300_799;

// eslint-disable-next-line no-control-regex -- they are what is refused
const PLAIN = /^[^\u0000-\u001f\u007f]+$/;

const plain = (max: number) =>
  z.string().max(max).regex(PLAIN, 'must be text without control characters').openapi({ example: 'text' });
const owner = plain(256).openapi({ example: 'ops@example.com' });
const role = plain(256);
const scope = z
  .string()
  .max(256)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be the name of a scope');
const time = z.int().min(0).max(MAX_TIME_S).openapi({ description: 'Seconds since the epoch' });
const secretPhc = z
  .string()
  .refine((text) => parseScryptPhc(text) !== undefined, 'must be $scrypt$ln=14..17,r=8,p=1..4$salt$hash');
const tokenId = z.string().refine(isTokenId, 'must be 1 to 64 of A-Z a-z 0-9 _ -');

const unique = (member: z.ZodString) =>
  z
    .array(member)
    .max(MAX_LIST_ENTRIES)
    .transform((list) => [...new Set(list)]);
const change = (member: z.ZodString) =>
  z.union(
    [unique(member), z.strictObject({ add: unique(member) }), z.strictObject({ remove: unique(member) })],
    {
      error: 'must be a list, or {add: [...]}, or {remove: [...]}',
    },
  );

/** `POST /admin/tokens` */
export const issueBody = z.strictObject({
  owner,
  isAdmin: z.boolean().optional(),
  roles: unique(role).optional(),
  scopes: unique(scope).optional(),
  tokenId: tokenId.optional(),
  expiresAt: time.optional(),
  description: plain(1024).optional(),
});

/** `PUT /admin/tokens/:tokenId` */
export const registerBody = z.strictObject({
  secretPhc,
  owner,
  isAdmin: z.boolean().optional(),
  roles: unique(role).optional(),
  scopes: unique(scope).optional(),
  expiresAt: time.optional(),
});

/** `PATCH /admin/tokens/:tokenId` */
export const updateBody = z.strictObject({
  owner: owner.optional(),
  isAdmin: z.boolean().optional(),
  secretPhc: secretPhc.optional(),
  expiresAt: time.nullable().optional(),
  description: plain(1024).nullable().optional(),
  roles: change(role).optional(),
  scopes: change(scope).optional(),
});

/** `PUT /admin/tokens/:tokenId/revoke` */
export const revokeBody = z.strictObject({ expiresAt: time.optional() });

/** `PUT /admin/tokens/:tokenId/restore` */
export const emptyBody = z.strictObject({});

/** `POST /admin/tokens/batch` */
export const batchBody = z.strictObject({
  tokenIds: z.array(tokenId).max(MAX_GET_MANY),
  includeSecretPhc: z.boolean().optional(),
});

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** `GET /admin/tokens` */
export const listQuery = z.strictObject({
  afterTokenId: tokenId.optional(),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be 1 to 1000')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 1000, 'must be 1 to 1000')
    .optional(),
  includeRevoked: flag.optional(),
  includeExpired: flag.optional(),
  includeSecretPhc: flag.optional(),
  hasRole: role.optional(),
  owner: owner.optional(),
});

/** `GET /admin/tokens/:tokenId` */
export const getQuery = z.strictObject({ includeSecretPhc: flag.optional() });

/** A record as the API shows it. */
export const recordSchema = z
  .object({
    tokenId: z.string(),
    owner: z.string(),
    isAdmin: z.boolean(),
    roles: z.array(z.string()),
    scopes: z.array(z.string()),
    createdAt: z.int(),
    expiresAt: z.int().optional(),
    revokedAt: z.int().optional(),
    lastUsedAt: z.int().optional(),
    description: z.string().optional(),
    secretPhc: z.string().optional(),
  })
  .openapi('TokenRecord');

/** An error. */
export const adminErrorSchema = z.object({ error: z.string(), details: z.string() }).openapi('AdminError');

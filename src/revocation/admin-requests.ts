import { z } from 'zod';

/** Of a claim's value, in characters; longer ones are in no token that is accepted. */
const MAX_VALUE_LENGTH = 1024;
const MAX_REASON_LENGTH = 512;

/** What is no text in UTF-8 is in no token either. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/u;

const value = z
  .string()
  .min(1)
  .max(MAX_VALUE_LENGTH)
  .refine((text) => !LONE_SURROGATE.test(text));
const common = {
  expiresIn: z.int().min(1).optional(),
  reason: z
    .string()
    .max(MAX_REASON_LENGTH)
    // eslint-disable-next-line no-control-regex -- they are what is refused: the text is shown in terminals
    .regex(/^[^\u0000-\u001f\u007f]*$/)
    .refine((text) => !LONE_SURROGATE.test(text))
    .optional(),
};
const before = z.number().min(0).max(253_402_300_799).optional();

/** The body of `POST /revocations`: exactly one of these. */
export const revocationRequest = z.union([
  z.strictObject({ issuer: value, jti: value, ...common }),
  z.strictObject({ issuer: value, sid: value, ...common }),
  z.strictObject({ issuer: value, sub: value, before, ...common }),
  z.strictObject({ issuer: value, clientId: value, before, ...common }),
  z.strictObject({ token: z.string().min(1), ...common }),
]);

/** As it was read. */
export type RevocationRequest = z.output<typeof revocationRequest>;

/** The body of `POST /revoke`. */
export const revokeRequest = z.strictObject({
  token: z.string().min(1),
  tokenTypeHint: z.enum(['access_token', 'refresh_token']).optional(),
});

/** The query of `GET /revocations`. */
export const pageRequest = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(1000))
    .prefault('100'),
  after: z.string().max(64).optional(),
});

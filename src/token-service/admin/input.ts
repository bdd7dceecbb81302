import type { Context } from 'hono';
import type { z } from 'zod';
import { JwsRejection } from '../../jws/jws-rejection.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import { AdminError } from './admin-error.js';

/**
 * Reads a JSON body, each member once and none that is not known.
 *
 * @param optional true: no body at all is an empty object
 * @throws AdminError invalid_request, unsupported_media_type
 */
export async function readBody<T extends z.ZodType>(
  c: Context,
  schema: T,
  optional = false,
): Promise<z.output<T>> {
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength === 0 && optional) return parse(schema, {});
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new AdminError('unsupported_media_type', 'the content type must be application/json');
  return parse(schema, readJson(bytes));
}

/** Reads the query, each parameter once and none that is not known. @throws AdminError invalid_request */
export function readQuery<T extends z.ZodType>(c: Context, schema: T): z.output<T> {
  const values: Record<string, string> = {};
  for (const [name, all] of Object.entries(c.req.queries())) {
    if (all.length > 1) throw new AdminError('invalid_request', 'a parameter is repeated');
    values[name] = all[0] ?? '';
  }
  return parse(schema, values);
}

function readJson(bytes: ArrayBuffer): unknown {
  try {
    return parseStrictJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof JwsRejection || error instanceof TypeError)
      throw new AdminError('invalid_request', 'the body is not a JSON object with each member once');
    throw error;
  }
}

/** Says which member is wrong. Values are not repeated: one may be a secret in the wrong place. */
function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, 5).map(({ path, message, code }) => {
    const where = path.join('.');
    return `${where === '' ? '' : `${where}: `}${code === 'unrecognized_keys' ? 'unknown member' : message}`;
  });
  throw new AdminError('invalid_request', problems.join('; '));
}

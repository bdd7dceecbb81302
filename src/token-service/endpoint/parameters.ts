import type { Context } from 'hono';
import { JwsRejection } from '../../jws/jws-rejection.js';
import { parseStrictJsonText } from '../../jws/strict-json.js';
import { OAuthError } from '../oauth-error.js';

/** The parameters of a request, each once. Untrusted, and some of them secrets. */
export type Parameters = ReadonlyMap<string, string>;

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/**
 * Reads the parameters of a POST: a form, or a JSON object of strings. A parameter without a value counts as absent. The
 * query is not read: what stands there ends up in logs.
 *
 * @param c whose body the port has bounded
 * @throws OAuthError invalid_request: another content type, a repeated parameter, not a form and not JSON
 * @see RFC 6749 sections 3.2 and 4.4.2
 */
export async function readParameters(c: Context): Promise<Parameters> {
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const body = await readBody(c);
  if (type === FORM) return readForm(body);
  if (type === JSON_TYPE) return readJson(body);
  if (type === '' && body === '') return new Map();
  throw new OAuthError('invalid_request', `the content type must be ${FORM} or ${JSON_TYPE}`);
}

async function readBody(c: Context): Promise<string> {
  const bytes = await c.req.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new OAuthError('invalid_request', 'the body is not UTF-8');
  }
}

function readForm(body: string): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (parameters.has(name)) throw new OAuthError('invalid_request', 'a parameter is repeated');
    parameters.set(name, value);
  }
  return withoutEmpty(parameters);
}

function readJson(body: string): Parameters {
  let members: Readonly<Record<string, unknown>>;
  try {
    members = parseStrictJsonText(body);
  } catch (error) {
    if (error instanceof JwsRejection)
      throw new OAuthError('invalid_request', 'the body is not a JSON object with each member once');
    throw error;
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of Object.entries(members)) {
    if (typeof value !== 'string') throw new OAuthError('invalid_request', 'each parameter must be a string');
    parameters.set(name, value);
  }
  return withoutEmpty(parameters);
}

function withoutEmpty(parameters: Map<string, string>): Parameters {
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}

/** Calls the admin API. The token lives in this module's memory and nowhere else. */

let token;
let whenSignedOut = () => {};

/** Uses a token from now on; undefined: none. */
export function useToken(next) {
  token = next;
}

/** @param {(reason: string) => void} run called where the server no longer takes the token */
export function onSignedOut(run) {
  whenSignedOut = run;
}

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const MESSAGES = {
  400: 'The server did not accept this.',
  401: 'This token is not accepted.',
  403: 'This token is not an administrator’s.',
  404: 'This does not exist, or no longer.',
  409: 'This exists already.',
  413: 'This is too large.',
  429: 'Too many failed attempts.',
  503: 'The token store does not answer at the moment.',
};

/**
 * @param {string} method
 * @param {string} path below /admin/
 * @param {unknown} [body]
 * @returns {Promise<any>} the answer; undefined where there is none
 * @throws {ApiError}
 */
export async function call(method, path, body) {
  const used = token;
  let response;
  try {
    response = await fetch(`/admin/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${used}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
  } catch {
    throw new ApiError(0, 'The server cannot be reached.');
  }
  const answer = await readJson(response);
  if (response.ok) return answer;
  const error = new ApiError(response.status, describe(response, answer));
  if (response.status === 401 && used !== undefined && used === token) whenSignedOut(error.message);
  throw error;
}

async function readJson(response) {
  if (!(response.headers.get('content-type') ?? '').includes('json')) return undefined;
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function describe(response, answer) {
  const known = MESSAGES[response.status] ?? `The server answered ${response.status}.`;
  const wait = response.headers.get('retry-after');
  const details = answer?.details;
  const text = typeof details === 'string' ? details : details === undefined ? '' : JSON.stringify(details);
  return [known, wait && `Try again in ${wait} seconds.`, text.slice(0, 400)].filter(Boolean).join(' ');
}

/** @returns {string} the query string of what is set */
export function query(parameters) {
  const set = Object.entries(parameters).filter(
    ([, value]) => value !== undefined && value !== false && value !== '',
  );
  return set.length === 0 ? '' : `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}`;
}

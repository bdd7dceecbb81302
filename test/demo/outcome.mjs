// @ts-check
/** Compares an answer with what a row expects, and says both in a few words. */

/**
 * @typedef {import('./oauth-client.mjs').Answer} Answer
 * @typedef {import('./rows.mjs').Expectation} Expectation
 * @typedef {{ expected: string, got: string, why: string, matches: boolean }} Outcome
 */

/**
 * @param {string} body
 * @returns {any} what it says; undefined where it is no JSON
 */
function parseBody(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/**
 * @param {string | undefined} challenges WWW-Authenticate
 * @returns {string | null | undefined} the error named; null: none is; undefined: there is no challenge
 */
function challengeError(challenges) {
  if (challenges === undefined) return undefined;
  return /\berror="([^"]*)"/.exec(challenges)?.[1] ?? null;
}

/**
 * @param {Record<string, string | null>} headers
 * @returns {string}
 */
const list = (headers) =>
  Object.entries(headers)
    .map(([name, value]) => (value === null ? `no ${name}` : `${name}=${value}`))
    .join(' ');

/**
 * @param {number} status
 * @param {string | null | undefined} error
 * @param {Record<string, string | null>} headers
 * @returns {string}
 */
const summary = (status, error, headers) =>
  [String(status), error ?? '', list(headers)].filter(Boolean).join(' ');

/**
 * @param {readonly string[]} names
 * @param {(name: string) => string | null | undefined} read
 * @returns {Record<string, string | null>}
 */
const pick = (names, read) => Object.fromEntries(names.map((name) => [name, read(name) ?? null]));

/**
 * @param {Expectation} expected
 * @param {Answer} answer
 * @returns {Outcome}
 */
export function judge(expected, answer) {
  const echoed = parseBody(answer.body);
  const headers = pick(Object.keys(expected.headers ?? {}), (name) => answer.headers[name]);
  const upstream = pick(Object.keys(expected.upstream ?? {}), (name) => echoed?.headers?.[name]?.join(','));
  const error = challengeError(answer.headers['www-authenticate']);
  const passedOn = expected.upstream === undefined || echoed?.headers !== undefined;
  return {
    expected: summary(expected.status, expected.error, expected.headers ?? {}),
    got: summary(answer.status, error, headers),
    why: reason(answer, echoed, upstream),
    matches:
      answer.status === expected.status &&
      passedOn &&
      error === expected.error &&
      list(headers) === list(expected.headers ?? {}) &&
      list(upstream) === list(expected.upstream ?? {}),
  };
}

/**
 * @param {Answer} answer
 * @param {any} body parsed
 * @param {Record<string, string | null>} upstream
 * @returns {string} what a client can read of a refusal, or what the service saw
 */
function reason(answer, body, upstream) {
  const message = answer.headers['grpc-message'];
  if (message !== undefined)
    return parseBody(decodeURIComponent(message))?.error_description ?? decodeURIComponent(message);
  if (body?.headers !== undefined) return `upstream saw ${list(upstream)}`;
  if (body?.error_description !== undefined) return body.error_description;
  return answer.status < 400 ? 'answered by Envoy itself' : 'refused by Envoy itself';
}

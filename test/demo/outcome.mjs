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

/** Longer values are cut: nobody reads a token in a table. */
const LONGEST_VALUE = 24;

/** @param {string} value */
const cut = (value) => (value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value);

/**
 * @param {Record<string, string | null>} headers
 * @returns {string}
 */
const list = (headers) =>
  Object.entries(headers)
    .map(([name, value]) => (value === null ? `no ${name}` : `${name}=${cut(value)}`))
    .join(', ');

/**
 * @param {number} status
 * @param {string | null | undefined} error
 * @param {{ headers: Record<string, string | null>, upstream: Record<string, string | null> }} seen
 * @returns {string} what the table says of an answer
 */
function summary(status, error, { headers, upstream }) {
  const { 'x-user-id': user, 'grpc-status': grpc } = { ...headers, ...upstream };
  const as = user === undefined ? '' : `as ${user ?? 'nobody'}`;
  // A denied gRPC call has its own status; HTTP says 200.
  const reason = grpc === undefined ? (error ?? '') : `grpc-status ${grpc}`;
  return [String(status), reason, as].filter(Boolean).join(' ');
}

/**
 * @param {Record<string, string | null>} left
 * @param {Record<string, string | null>} right
 */
const same = (left, right) => JSON.stringify(left) === JSON.stringify(right);

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
  const wanted = { headers: expected.headers ?? {}, upstream: expected.upstream ?? {} };
  const body = parseBody(answer.body);
  const seen = {
    headers: pick(Object.keys(wanted.headers), (name) => answer.headers[name]),
    upstream: pick(Object.keys(wanted.upstream), (name) => body?.headers?.[name]?.join(',')),
  };
  const error = challengeError(answer.headers['www-authenticate']);
  const passedOn = expected.upstream === undefined || body?.headers !== undefined;
  return {
    expected: summary(expected.status, expected.error, wanted),
    got: summary(answer.status, error, seen),
    why: reason(answer, body, seen),
    matches:
      answer.status === expected.status &&
      error === expected.error &&
      passedOn &&
      same(seen.headers, wanted.headers) &&
      same(seen.upstream, wanted.upstream),
  };
}

/**
 * @param {string} message of a denied gRPC call: the body, percent-encoded
 * @returns {string}
 */
function readMessage(message) {
  const text = decodeURIComponent(message);
  return parseBody(text)?.error_description ?? text;
}

/**
 * @param {Answer} answer
 * @param {any} body parsed
 * @param {{ headers: Record<string, string | null>, upstream: Record<string, string | null> }} seen
 * @returns {string} what a client can read of a refusal, or what the service saw
 */
function reason(answer, body, { headers, upstream }) {
  if (body?.headers !== undefined) return `upstream saw ${list(upstream) || 'the request'}`;
  const message = answer.headers['grpc-message'];
  const description = body?.error_description ?? (message === undefined ? undefined : readMessage(message));
  if (description === undefined)
    return answer.status < 400 ? 'answered by Envoy itself' : 'refused by Envoy itself';
  const others = Object.entries(headers).filter(([name]) => name !== 'grpc-status');
  return [description, list(Object.fromEntries(others))].filter(Boolean).join('; ');
}

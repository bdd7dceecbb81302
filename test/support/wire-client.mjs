// @ts-check
/** HTTP clients that send exactly what they are told: paths as they are, headers in order, duplicates too. */
import { request as http1 } from 'node:http';
import { connect } from 'node:http2';

/**
 * @typedef {object} WireRequest
 * @property {string} [method]
 * @property {string} [path]
 * @property {string} [host]
 * @property {readonly (readonly [string, string])[]} [headers] in order; duplicates are sent as they are
 * @property {string} [body]
 * @property {boolean} [keepOpen] HTTP/2: do not end the request
 */

/**
 * @typedef {object} WireResponse
 * @property {number} status
 * @property {Record<string, string[]>} headers lower-case names, each field; trailers too
 * @property {string} body
 */

/**
 * @typedef {(request?: WireRequest) => Promise<WireResponse>} WireClient
 */

const TIMEOUT_MS = 10_000;

/**
 * @param {readonly string[]} raw name, value, name, value …
 * @returns {Record<string, string[]>}
 */
function group(raw) {
  /** @type {Record<string, string[]>} */
  const headers = {};
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    (headers[name] ??= []).push(raw[at + 1] ?? '');
  }
  return headers;
}

/**
 * @param {number} port
 * @returns {WireClient} one connection per request
 */
export const createHttp1Client =
  (port) =>
  ({ method = 'GET', path = '/', host = `127.0.0.1:${port}`, headers = [], body } = {}) =>
    new Promise((resolve, reject) => {
      const fields = [['host', host], ...headers].flat();
      if (body !== undefined) fields.push('content-length', String(Buffer.byteLength(body)));
      const options = {
        port,
        host: '127.0.0.1',
        method,
        path,
        headers: fields,
        agent: false,
        timeout: TIMEOUT_MS,
      };
      const sent = http1(/** @type {any} */ (options));
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.on('error', reject);
      /** @type {(incoming: import('node:http').IncomingMessage, socket?: import('node:stream').Duplex) => void} */
      const take = (incoming, socket) => {
        const chunks = /** @type {Buffer[]} */ ([]);
        const done = () => {
          socket?.destroy();
          const status = incoming.statusCode ?? 0;
          const all = [...incoming.rawHeaders, ...incoming.rawTrailers];
          resolve({ status, headers: group(all), body: Buffer.concat(chunks).toString() });
        };
        if (socket) return done();
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('end', done);
      };
      sent.on('response', (incoming) => take(incoming));
      sent.on('upgrade', (incoming, socket) => take(incoming, socket));
      sent.on('connect', (incoming, socket) => take(incoming, socket));
      sent.end(body);
    });

/**
 * @param {number} port
 * @param {import('node:http2').SecureClientSessionOptions & { secure?: boolean }} [options]
 * @returns {WireClient} a session a request
 */
export const createHttp2Client =
  (port, { secure = false, ...options } = {}) =>
  ({ method = 'GET', path = '/', host = `127.0.0.1:${port}`, headers = [], body } = {}) =>
    new Promise((resolve, reject) => {
      const session = connect(`${secure ? 'https' : 'http'}://127.0.0.1:${port}`, options);
      session.setTimeout(TIMEOUT_MS, () => session.destroy(new Error('no answer in time')));
      session.on('error', reject);
      /** @type {Record<string, string | string[]>} */
      const fields = { ':method': method, ':path': path, ':authority': host };
      for (const [name, value] of headers) {
        const before = fields[name];
        // Node refuses to send this one twice; Envoy would join the two like this.
        if (name === 'authorization' && before !== undefined) fields[name] = `${before},${value}`;
        else fields[name] = before === undefined ? value : [before, value].flat();
      }
      const stream = session.request(fields, { endStream: body === undefined });
      /** @type {Record<string, string[]>} */
      const received = {};
      let status = 0;
      /** @type {(incoming: object) => void} */
      const take = (incoming) => {
        for (const [name, value] of Object.entries(incoming)) {
          if (name === ':status') status = Number(value);
          else received[name] = [...(received[name] ?? []), ...[value].flat().map(String)];
        }
      };
      const chunks = /** @type {Buffer[]} */ ([]);
      stream.on('response', take);
      stream.on('trailers', take);
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        session.close();
        resolve({ status, headers: received, body: Buffer.concat(chunks).toString() });
      });
      if (body !== undefined) stream.end(body);
    });

// @ts-check
/**
 * The service behind the gate, as tests and the demo want it: it answers with what it received, as JSON, and
 * completes WebSocket handshakes. Run as a program it listens on HOST and PORT.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * @typedef {object} Echo
 * @property {string} method
 * @property {string} url path and query as received
 * @property {Record<string, string[]>} headers each field as received, lower-case names
 */

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Echo}
 */
function describe(request) {
  /** @type {Record<string, string[]>} */
  const headers = {};
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? '').toLowerCase();
    (headers[name] ??= []).push(request.rawHeaders[at + 1] ?? '');
  }
  return { method: request.method ?? '', url: request.url ?? '', headers };
}

/**
 * @param {object} options
 * @param {number} options.port 0: any
 * @param {string} [options.host]
 * @returns {Promise<{ port: number, requests: Echo[], close: () => Promise<void> }>} `requests` has what came, in order
 */
export async function startEchoUpstream({ port, host = '127.0.0.1' }) {
  /** @type {Echo[]} */
  const requests = [];
  const server = createServer((request, response) => {
    const echo = describe(request);
    if (requests.length < 10_000) requests.push(echo);
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify(echo)}\n`);
  });
  server.on('upgrade', (request, socket) => {
    requests.push(describe(request));
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1')
      .update(key + WEBSOCKET_GUID)
      .digest('base64');
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    socket.on('error', () => {});
    socket.end(`${lines.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  });
  await new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, host, () => resolve(undefined)),
  );
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = () =>
    new Promise((resolve) => {
      server.close(() => resolve(undefined));
      server.closeAllConnections();
    });
  return { port: address.port, requests, close: /** @type {() => Promise<void>} */ (close) };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await startEchoUpstream({
    port: Number(process.env['PORT'] ?? 8080),
    host: process.env['HOST'] ?? '127.0.0.1',
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
}

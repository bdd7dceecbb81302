/** An issuer that rotates its keys and fails in every way an issuer fails. */
import http from 'node:http';
import { createKey } from '../lib/tokens.mjs';

/** How it can be out of order. `gone` closes the port; the others answer, if that is the word. */
export const outages = ['gone', 'silent', 'error', 'garbage', 'empty'];

/** Sets, and when they changed; the traffic reads what a token of each key should meet. */
export class SoakIssuer {
  #server;
  #port = 0;
  #sockets = new Set();
  /** undefined: well. */
  outage;
  /** The key that signs. */
  current = createKey('ES256');
  /** Published, not used yet. */
  next;
  /** Published no more; tokens signed with it must be refused. */
  retired;
  fetches = 0;

  async start() {
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = this.#server.address().port;
  }

  get issuer() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Announces the key that will sign soon. */
  announce() {
    this.next = createKey('ES256');
  }

  /** Signs with the announced key; the old one stays published. */
  switchOver() {
    [this.retired, this.current, this.next] = [undefined, this.next, undefined];
  }

  /** Publishes one key less. @param {object} key */
  retire(key) {
    this.retired = key;
    this.published = [this.current];
  }

  published = [this.current];

  async fail(kind) {
    this.outage = kind;
    if (kind === 'gone') await this.stop();
  }

  async recover() {
    const wasGone = this.outage === 'gone';
    this.outage = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (wasGone) await this.start();
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request, response) {
    this.fetches++;
    if (this.outage === 'silent') return;
    const json = { 'content-type': 'application/json', 'cache-control': 'max-age=5' };
    if (this.outage === 'error') response.writeHead(500, json).end('{}');
    else if (this.outage === 'garbage')
      response.writeHead(200, json).end('<html>we will be back soon</html>');
    else if (this.outage === 'empty') response.writeHead(200, json).end('{"keys":[]}');
    else response.writeHead(200, json).end(JSON.stringify(this.#document(request.url)));
  }

  #document(path) {
    if (path === '/jwks') return { keys: this.published.map((key) => key.jwk) };
    return { issuer: this.issuer, jwks_uri: `${this.issuer}/jwks`, response_types_supported: ['code'] };
  }
}

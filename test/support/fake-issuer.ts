/**
 * A real HTTP authorization server on the loopback that behaves as badly as it is told to: slow, silent, endless,
 * huge, broken, redirecting, rotating. It counts what it is asked, and comes back on the same port after a stop.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** The endpoints that can be told how to behave. */
export type Endpoint = 'openid' | 'oauth' | 'jwks' | 'introspect';

/** A question about a token, as it came. */
export interface AskedToken {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
}

/** Answers a request in its own way; true: the honest answer follows after all. */
export type Behaviour = (req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>;

const OPENID = '/.well-known/openid-configuration';
const OAUTH = '/.well-known/oauth-authorization-server';

/** One issuer with its own port. */
export class FakeIssuer {
  /** Requests by endpoint, but for those of `asked`; `other` is everything that was not expected. */
  readonly hits: Record<Exclude<Endpoint, 'introspect'> | 'other', number> = {
    openid: 0,
    oauth: 0,
    jwks: 0,
    other: 0,
  };
  /** What each endpoint does instead of answering honestly. */
  readonly behaviour: Partial<Record<Endpoint, Behaviour>> = {};
  /** What introspection says by token; of others, that they are not active. */
  readonly answers = new Map<string, unknown>();
  /** Every question about a token. */
  readonly asked: AskedToken[] = [];
  /** The published keys. */
  keys: object[] = [];
  /** Header fields of the honest answers. */
  headers: Record<string, string> = {};
  /** Overrides of the metadata document; undefined takes a member out. */
  metadata: Record<string, unknown> = {};
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  /** @param path of the issuer identifier, such as `/tenant`; empty for none */
  constructor(readonly path = '') {}

  /** Creates and starts an issuer. */
  static async start(path = ''): Promise<FakeIssuer> {
    const issuer = new FakeIssuer(path);
    await issuer.start();
    return issuer;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }
  get issuer(): string {
    return `${this.origin}${this.path}`;
  }
  get jwksUri(): string {
    return `${this.origin}/jwks`;
  }
  get introspectionUrl(): string {
    return `${this.origin}/introspect`;
  }
  get total(): number {
    return Object.values(this.hits).reduce((sum, count) => sum + count, 0);
  }

  /** Listens, on the port of before where there was one. */
  async start(): Promise<void> {
    const server = createServer((req, res) => void this.#handle(req, res).catch(() => res.destroy()));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes the port and cuts every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const endpoint = this.#endpoint((req.url ?? '').split('?', 1)[0] ?? '');
    if (endpoint !== 'introspect') this.hits[endpoint ?? 'other'] += 1;
    if (endpoint === undefined) return void res.writeHead(404).end();
    if (endpoint === 'introspect') await this.#note(req);
    const behave = this.behaviour[endpoint];
    if (behave !== undefined && !(await behave(req, res))) return;
    const body = this.#bodyOf(endpoint);
    res.writeHead(200, { 'content-type': 'application/json', ...this.headers }).end(JSON.stringify(body));
  }

  async #note(req: IncomingMessage): Promise<void> {
    let text = '';
    for await (const chunk of req.setEncoding('utf8')) text += String(chunk);
    this.asked.push({ method: req.method, headers: req.headers, form: new URLSearchParams(text) });
  }

  #bodyOf(endpoint: Endpoint): unknown {
    if (endpoint === 'jwks') return { keys: this.keys };
    if (endpoint !== 'introspect') return this.#document();
    return this.answers.get(this.asked.at(-1)?.form.get('token') ?? '') ?? { active: false };
  }

  #endpoint(path: string): Endpoint | undefined {
    const base = this.path.replace(/\/$/, '');
    if (path === `${base}${OPENID}`) return 'openid';
    if (path === `${OAUTH}${base}`) return 'oauth';
    if (path === '/introspect') return 'introspect';
    return path === '/jwks' ? 'jwks' : undefined;
  }

  #document(): object {
    return {
      issuer: this.issuer,
      jwks_uri: this.jwksUri,
      token_endpoint: `${this.origin}/token`,
      introspection_endpoint: this.introspectionUrl,
      ...this.metadata,
    };
  }
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Answers with a status and nothing else. */
export const answersStatus =
  (status: number): Behaviour =>
  (_req, res) => {
    res.writeHead(status).end();
    return false;
  };

/** Answers 200 with this text. */
export const answersText =
  (text: string | Buffer, headers: Record<string, string | string[]> = JSON_HEADERS): Behaviour =>
  (_req, res) => {
    res.writeHead(200, headers).end(text);
    return false;
  };

/** Sends the client elsewhere. */
export const redirects =
  (location: string, status = 302): Behaviour =>
  (_req, res) => {
    res.writeHead(status, { ...JSON_HEADERS, location }).end('{"keys":[]}');
    return false;
  };

/** Takes the request and never answers. */
export const hangs: Behaviour = () => false;

/** Sends the head, and then a byte now and then, for ever. */
export const drips: Behaviour = (_req, res) => {
  res.writeHead(200, JSON_HEADERS);
  const timer = setInterval(() => res.write(' '), 10);
  res.once('close', () => clearInterval(timer));
  return false;
};

/** Sends keys as fast as they are taken, for ever. */
export const neverEnds: Behaviour = (_req, res) => {
  res.writeHead(200, JSON_HEADERS).write('{"keys":[');
  const chunk = '{"kty":"RSA","kid":"x","n":"AAAA","e":"AQAB"},'.repeat(500);
  const push = (): void => {
    while (!res.destroyed && res.write(chunk));
    if (!res.destroyed) res.once('drain', push);
  };
  res.on('error', () => undefined);
  push();
  return false;
};

/** A small answer that unpacks to this many bytes. */
export const gzipBomb = (bytes: number): Behaviour =>
  answersText(gzipSync(Buffer.alloc(bytes, ' ')), { ...JSON_HEADERS, 'content-encoding': 'gzip' });

/** Holds answers back until they are let go. */
export class Gate {
  #open: (() => void) | undefined;
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));
  readonly behaviour: Behaviour = async () => {
    await this.#opened;
    return true;
  };

  /** Lets the held answers, and all later ones, go. */
  open(): void {
    this.#open?.();
  }
}

/**
 * The one HTTP client. A server may be slow, broken, hostile, or the wrong one: every request is bounded
 * in time and bytes, follows no redirect, and connects to checked addresses only.
 */
import { type Readable } from 'node:stream';
import type { JsonObject } from '../ports.js';
import type { ResolveHost } from './checked-lookup.js';
import { type Connections, openConnections } from './connections.js';
import { errorCode, HttpError } from './http-error.js';
import {
  assertJsonHeaders,
  assertMediaType,
  type HttpHeaders,
  readBody,
  readJsonBody,
} from './read-json-body.js';
import { describeUrl, parseFetchUrl } from './url-rules.js';

/** What bounds a request. */
interface HttpLimits {
  /** For the whole of it: name resolution, connection, answer, body. */
  readonly timeoutMs: number;
  /** Of the body, after decompression. */
  readonly maxBytes: number;
  /** Plain http to any host; else to loopback hosts only. */
  readonly allowHttp: boolean;
}

/** How the client is made. The limits hold unless a request brings its own. */
export interface HttpClientOptions extends HttpLimits {
  /** Resolves names; the system's resolver unless given. */
  readonly resolveHost?: ResolveHost;
  /** Connections kept to one origin. */
  readonly maxConnectionsPerOrigin?: number;
  /** Requests under way at once; one more is refused as `busy`. */
  readonly maxInFlight?: number;
  /** PEM: the certificate that is shown to servers, and its private key. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined;
}

/** A JSON object and what came with it. */
export interface JsonResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: JsonObject;
}

/** A text and what came with it. */
export interface TextResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly text: string;
}

/** A form to send. */
export interface FormRequest extends RequestOptions {
  /** Holds secrets. */
  readonly form: URLSearchParams;
  /** Further header fields, such as `authorization`; secrets. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The one media type that the answer may have; undefined: any, and the body is not read. */
  readonly accept: string | undefined;
}

/** Bytes to send. */
export interface BodyRequest {
  readonly body: Buffer;
  readonly contentType: string;
  /** Secrets. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a request may set for itself. */
export interface RequestOptions extends Partial<HttpLimits> {
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

/** Fetches JSON objects, and sends forms. */
export interface HttpClient {
  /**
   * GETs a JSON object. Only a 200 with a JSON content type will do; what the object says is for the caller.
   *
   * @param url absolute; may come from an issuer's metadata
   * @returns the answer
   * @throws HttpError for all that can go wrong
   */
  getJson(url: string, options?: RequestOptions): Promise<JsonResponse>;
  /**
   * POSTs a form, once. Only a 200 of the accepted media type will do; what the text says is for the caller.
   *
   * @param url absolute; may come from an issuer's metadata
   * @returns the answer as text; empty where no media type is accepted
   * @throws HttpError for all that can go wrong; it holds nothing of the form
   */
  postForm(url: string, request: FormRequest): Promise<TextResponse>;
  /** POSTs bytes, once. Only a 200 will do, and what it says is not read. @throws HttpError */
  postBody(url: string, request: BodyRequest): Promise<unknown>;
  /** Ends connections, and requests that are under way. */
  close(): Promise<void>;
}

const USER_AGENT = 'portcullis';
const FORM = 'application/x-www-form-urlencoded';

/**
 * Creates the client. It has its own connections, and ignores proxies from the environment: through a proxy the
 * address that is connected to could not be checked.
 *
 * @param options limits, trusted
 * @returns a client; close it
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  let opening: Promise<Connections> | undefined;
  const maxInFlight = options.maxInFlight ?? 1000;
  let inFlight = 0;
  const bounded = async <T>(text: string, own: RequestOptions, send: Send<T>): Promise<T> => {
    const limits = { ...options, ...own };
    const url = parseFetchUrl(text, limits);
    if (inFlight >= maxInFlight)
      throw new HttpError('busy', `${describeUrl(url)}: too many requests at once`);
    inFlight += 1;
    try {
      const connections = await (opening ??= openConnections(options));
      return await exchange(url, limits, (within) => send(connections, url, within));
    } finally {
      inFlight -= 1;
    }
  };
  return {
    getJson: (url, own = {}) => bounded(url, own, requestJson),
    postForm: (url, { form, headers, accept, ...own }) =>
      bounded(url, own, (connections, target, within) =>
        send(connections, target, { body: form.toString(), contentType: FORM, headers, accept, ...within }),
      ),
    postBody: (url, sent) =>
      bounded(url, {}, (connections, target, within) =>
        send(connections, target, { ...sent, accept: undefined, ...within }),
      ),
    close: async () => (await opening)?.agent.destroy(),
  };
}

/** One request under one clock: the time-out covers the queue, the connection, the head and every byte of the body. */
async function exchange<T>(
  url: URL,
  limits: HttpLimits & RequestOptions,
  run: (within: Exchange) => Promise<T>,
): Promise<T> {
  const name = describeUrl(url);
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), limits.timeoutMs);
  const signal = limits.signal === undefined ? timer.signal : AbortSignal.any([timer.signal, limits.signal]);
  try {
    return await run({ maxBytes: limits.maxBytes, signal, name });
  } catch (error) {
    if (error instanceof HttpError) throw error;
    if (timer.signal.aborted)
      throw new HttpError('timeout', `${name}: no answer within ${limits.timeoutMs} ms`);
    if (signal.aborted) throw new HttpError('aborted', `${name}: given up`);
    throw connectionError(name, error);
  } finally {
    clearTimeout(timeout);
  }
}

interface Exchange {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly name: string;
}

type Send<T> = (connections: Connections, url: URL, within: Exchange) => Promise<T>;

interface Sent extends Exchange, Pick<FormRequest, 'headers' | 'accept'> {
  readonly body: string | Buffer;
  readonly contentType: string;
}

async function send({ agent, request }: Connections, url: URL, sent: Sent): Promise<TextResponse> {
  const { accept } = sent;
  const { statusCode, headers, body } = await request(url, {
    dispatcher: agent,
    method: 'POST',
    headers: {
      ...sent.headers,
      accept: accept ?? '*/*',
      'accept-encoding': 'gzip',
      'content-type': sent.contentType,
      'user-agent': USER_AGENT,
    },
    body: sent.body,
    signal: sent.signal,
  });
  try {
    assertOk(statusCode, sent.name);
    if (accept !== undefined) assertMediaType(headers, accept, sent.name);
  } catch (error) {
    discard(body);
    throw error;
  }
  if (accept === undefined) {
    discard(body);
    return { status: statusCode, headers, text: '' };
  }
  return { status: statusCode, headers, text: (await readBody(body, headers, sent)).toString('utf8') };
}

async function requestJson(
  { agent, request }: Connections,
  url: URL,
  limits: Exchange,
): Promise<JsonResponse> {
  const { statusCode, headers, body } = await request(url, {
    dispatcher: agent,
    method: 'GET',
    headers: { accept: 'application/json', 'accept-encoding': 'gzip', 'user-agent': USER_AGENT },
    signal: limits.signal,
    // One fetch per minute does not need a kept connection, and a kept one may be dead.
    reset: true,
  });
  try {
    assertOk(statusCode, limits.name);
    assertJsonHeaders(headers, limits.name);
  } catch (error) {
    discard(body);
    throw error;
  }
  return { status: statusCode, headers, body: await readJsonBody(body, headers, limits) };
}

function assertOk(status: number, name: string): void {
  if (status === 200) return;
  if (status >= 300 && status < 400) {
    throw new HttpError('redirect', `${name}: a redirect (${status}) is not followed`, { status });
  }
  throw new HttpError('status', `${name}: answered ${status}`, { status });
}

function discard(body: Readable): void {
  // Destroying an unread body emits an error that has no listener otherwise.
  body.on('error', () => undefined);
  body.destroy();
}

function connectionError(name: string, error: unknown): HttpError {
  const code = errorCode(error) ?? 'unknown';
  return new HttpError('connection', `${name}: the connection failed (${code})`, { cause: error });
}

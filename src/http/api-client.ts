import { isLoopbackHost } from './address-rules.js';

/** A request to a server of ours. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below the URL of the client, with its query. */
  readonly path: string;
  /** Sent as JSON; undefined: no body. */
  readonly body?: object | undefined;
}

/** What the server said. */
export interface ApiAnswer {
  readonly status: number;
  /** undefined: no body, or none that is JSON. */
  readonly body: unknown;
}

/** Calls one API with one token. */
export type CallApi = (request: ApiRequest) => Promise<ApiAnswer>;

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 16 * 1_048_576;

/** An address that is not called, or does not answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
}

/**
 * Creates a client for commands. The token is sent to this URL and nowhere else: redirects are refused, and plain http
 * beyond this machine as well.
 *
 * @param url the operator's
 * @param token a secret
 * @throws ApiError where the URL cannot be used
 */
export function createApiClient(url: string, token: string): CallApi {
  const base = parseBase(url);
  return async ({ method, path, body }) => {
    let response: Response;
    try {
      response = await fetch(base + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: parseJson(await readBounded(response)) };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      // The cause says which part of the connection failed; it holds no header.
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      throw new ApiError(`the server could not be reached${cause}`);
    }
  };
}

function parseBase(url: string): string {
  if (!URL.canParse(url)) throw new ApiError('--url must be a URL');
  const { protocol, hostname, username, search, hash } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopbackHost(hostname)))
    throw new ApiError('--url must be https; plain http only to this machine');
  if (username !== '' || search !== '' || hash !== '')
    throw new ApiError('--url must have no user, query or fragment');
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new ApiError('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

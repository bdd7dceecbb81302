import type { HttpClient } from '../http/bounded-client.js';
import { discoverMetadata, readEndpoint } from '../jwks/discovery.js';
import type { Clock } from '../ports.js';
import type { Authentication } from './client-authentication.js';

/** Our client at one issuer: it finds the issuer's endpoints, and authenticates at them. */
export interface IssuerClient {
  /**
   * POSTs a form to an endpoint, once, with the client's authentication.
   *
   * @param accept the media type that the answer must have; undefined: the body is not read
   * @returns the answer's text
   * @throws HttpError, KeySetError
   */
  post(
    endpoint: EndpointName,
    form: Readonly<Record<string, string>>,
    accept: string | undefined,
  ): Promise<string>;
}

/** As metadata calls them (RFC 8414 2). */
export type EndpointName = 'introspection_endpoint' | 'revocation_endpoint';

/** What such a client is made of. */
export interface IssuerClientOptions {
  readonly issuer: string;
  /** From the configuration; undefined: the issuer's well-known places. */
  readonly metadataUrl: string | undefined;
  /** Endpoints that the configuration names. */
  readonly endpoints: Readonly<Partial<Record<EndpointName, string>>>;
  readonly authenticate: () => Authentication | Promise<Authentication>;
  readonly http: HttpClient;
  readonly timeoutMs: number;
  readonly allowHttp: boolean;
  readonly clock: Clock;
}

/** Metadata is believed for so long. */
const METADATA_TTL_MS = 3_600_000;
/** A failed search for metadata is not repeated within this time. */
const FAILURE_TTL_MS = 1000;
const MAX_ANSWER_BYTES = 262_144;

/** Creates the client. Requests live on one time-out each, the search for the endpoint included. */
export function createIssuerClient(options: IssuerClientOptions): IssuerClient {
  const { http, clock, timeoutMs, allowHttp, authenticate, endpoints } = options;
  const metadata = createMetadataMemory(options);
  const limits = { timeoutMs, allowHttp, maxBytes: MAX_ANSWER_BYTES };
  return {
    async post(endpoint, form, accept) {
      const startedMs = clock.now();
      const url = endpoints[endpoint] ?? (await metadata(endpoint));
      const own = await authenticate();
      const leftMs = Math.max(1, timeoutMs - Math.max(0, clock.now() - startedMs));
      const { text } = await http.postForm(url, {
        ...limits,
        timeoutMs: leftMs,
        form: new URLSearchParams({ ...form, ...own.form }),
        headers: own.headers,
        accept,
      });
      return text;
    },
  };
}

function createMetadataMemory({
  issuer,
  metadataUrl,
  http,
  timeoutMs,
  allowHttp,
  clock,
}: IssuerClientOptions): (endpoint: EndpointName) => Promise<string> {
  let found: ReturnType<typeof discoverMetadata> | undefined;
  let untilMs = 0;
  const search = (): ReturnType<typeof discoverMetadata> => {
    const limits = (): { timeoutMs: number; allowHttp: boolean } => ({ timeoutMs, allowHttp });
    untilMs = clock.now() + METADATA_TTL_MS;
    const searching = discoverMetadata(issuer, { metadataUrl, http, limits });
    searching.catch(() => (untilMs = clock.now() + FAILURE_TTL_MS));
    return searching;
  };
  return async (endpoint) => {
    if (found === undefined || clock.now() >= untilMs) found = search();
    const { url, response } = await found;
    return readEndpoint(response.body, endpoint, { url, allowHttp });
  };
}

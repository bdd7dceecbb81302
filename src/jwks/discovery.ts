import { type HttpClient, type JsonResponse, type RequestOptions } from '../http/bounded-client.js';
import { HttpError, type HttpErrorCode } from '../http/http-error.js';
import { parseFetchUrl } from '../http/url-rules.js';
import { KeySetError } from './key-set-error.js';

/** An issuer's metadata: it names the issuer that was asked for, and nothing else in it was judged. */
export interface IssuerMetadata {
  /** Where it was found. */
  readonly url: string;
  readonly response: JsonResponse;
}

/** Where an issuer says its keys are, and for how long that may be remembered. */
export interface Discovered {
  readonly jwksUri: string;
  readonly response: JsonResponse;
}

/** What a discovery needs. */
export interface DiscoveryOptions {
  /** From the configuration; undefined: the well-known places, one after the other. */
  readonly metadataUrl: string | undefined;
  readonly http: HttpClient;
  /** Limits for the next request: called before each, so that all share one time-out. */
  readonly limits: () => RequestOptions & { readonly allowHttp: boolean };
}

/**
 * Finds an issuer's key set through its metadata: OpenID discovery first, then RFC 8414, or one given URL.
 * The document must name the very issuer that is configured. Its `jwks_uri` may be on another host (large providers
 * do that), but a document that came over TLS cannot lead away from TLS unless plain http is allowed.
 *
 * @param issuer from the configuration
 * @returns the checked `jwks_uri`
 * @throws HttpError; KeySetError `invalid_metadata`, `issuer_mismatch`
 * @see OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3
 */
export async function discoverJwksUri(issuer: string, options: DiscoveryOptions): Promise<Discovered> {
  const { url, response } = await discoverMetadata(issuer, options);
  const { allowHttp } = options.limits();
  return { jwksUri: readEndpoint(response.body, 'jwks_uri', { url, allowHttp }), response };
}

/**
 * Finds an issuer's metadata: OpenID discovery first, then RFC 8414, or one given URL.
 *
 * @param issuer from the configuration
 * @returns a document that names the very issuer
 * @throws HttpError; KeySetError `invalid_metadata`, `issuer_mismatch`
 * @see OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3
 */
export async function discoverMetadata(issuer: string, options: DiscoveryOptions): Promise<IssuerMetadata> {
  const urls = options.metadataUrl === undefined ? wellKnownUrls(issuer) : [options.metadataUrl];
  const [url, response] = await firstAnswer(urls, options);
  if (response.body.issuer !== issuer) {
    throw new KeySetError(
      'issuer_mismatch',
      `the metadata names another issuer than the one that is configured: ${describeIssuer(response.body.issuer)}`,
    );
  }
  return { url, response };
}

/** Longest name of a foreign issuer in a message, characters. */
const MAX_ISSUER = 256;

/** The issuer of a document that is not trusted: bounded, on one line. Often it differs in a final slash only. */
function describeIssuer(issuer: unknown): string {
  return typeof issuer === 'string' ? JSON.stringify(issuer.slice(0, MAX_ISSUER)) : 'it has no issuer';
}

/**
 * The places where an issuer's metadata may be: OpenID appends to the path, RFC 8414 inserts before it.
 *
 * @param issuer an absolute URL
 * @returns the URLs in the order in which they are asked
 * @throws KeySetError `invalid_metadata` where the issuer is no URL, or has a query or fragment
 * @see OpenID Connect Discovery 1.0 section 4.1, RFC 8414 section 3.1
 */
export function wellKnownUrls(issuer: string): readonly string[] {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url?.search !== '' || url.hash !== '') {
    throw new KeySetError('invalid_metadata', 'the issuer is not a URL that metadata can be found from');
  }
  const path = url.pathname.replace(/\/$/, '');
  const place = (pathname: string): string => {
    const found = new URL(url);
    found.pathname = pathname;
    return found.href;
  };
  return [
    place(`${path}/.well-known/openid-configuration`),
    place(`/.well-known/oauth-authorization-server${path}`),
  ];
}

/** An answer that is not the document: the issuer may keep it in the other place. Silence is not an answer. */
const ANSWERED_OTHERWISE: ReadonlySet<HttpErrorCode> = new Set([
  'status',
  'redirect',
  'content_type',
  'invalid_json',
]);

async function firstAnswer(
  urls: readonly string[],
  { http, limits }: DiscoveryOptions,
): Promise<readonly [url: string, response: JsonResponse]> {
  let failure: unknown;
  for (const url of urls) {
    try {
      return [url, await http.getJson(url, limits())];
    } catch (error) {
      failure ??= error;
      if (!(error instanceof HttpError && ANSWERED_OTHERWISE.has(error.code))) throw error;
    }
  }
  throw failure;
}

/**
 * Reads an endpoint from metadata. It may be on another host, but a document that came over TLS cannot lead away from
 * TLS unless plain http is allowed.
 *
 * @param metadata of the issuer
 * @param name of the member
 * @param from where the document was found
 * @returns the URL, which may be fetched
 * @throws KeySetError `invalid_metadata`; HttpError
 */
export function readEndpoint(
  metadata: JsonResponse['body'],
  name: string,
  from: { readonly url: string; readonly allowHttp: boolean },
): string {
  const value = metadata[name];
  if (typeof value !== 'string') throw new KeySetError('invalid_metadata', `the metadata has no ${name}`);
  const url = parseFetchUrl(value, from);
  if (url.protocol === 'http:' && !from.allowHttp && new URL(from.url).protocol === 'https:') {
    throw new HttpError('forbidden_scheme', `the metadata came over https and names a ${name} over http`);
  }
  return url.href;
}

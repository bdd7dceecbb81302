import { isIP } from 'node:net';
import { forbiddenAddressReason, isLoopbackHost, withoutBrackets } from './address-rules.js';
import { HttpError } from './http-error.js';

const MAX_URL_LENGTH = 2048;

/**
 * Reads a URL that may be fetched: https, or http where the host is the loopback or `allowHttp` is set; no user
 * information; no forbidden literal address. What a name resolves to is checked when the connection is made.
 *
 * @param text the URL, untrusted
 * @param options `allowHttp`: plain http to any host
 * @returns the URL without its fragment
 * @throws HttpError `invalid_url`, `forbidden_scheme`, `forbidden_address`
 */
export function parseFetchUrl(text: string, options: { readonly allowHttp: boolean }): URL {
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new HttpError('invalid_url', 'the URL is not valid');
  const name = describeUrl(url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new HttpError('forbidden_scheme', `${url.protocol} URLs are not fetched`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new HttpError('invalid_url', `${name}: user information in a URL is not accepted`);
  }
  if (url.protocol === 'http:' && !options.allowHttp && !isLoopbackHost(url.hostname)) {
    throw new HttpError(
      'forbidden_scheme',
      `${name}: plain http is for loopback hosts, unless jwks.allowHttp is set`,
    );
  }
  assertLiteralAddress(url, name);
  url.hash = '';
  return url;
}

/**
 * Names a URL in a message: origin and path, never query or user information.
 *
 * @param url any URL
 */
export function describeUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function assertLiteralAddress(url: URL, name: string): void {
  const host = withoutBrackets(url.hostname);
  if (isIP(host) === 0) return;
  const reason = forbiddenAddressReason(host);
  if (reason !== undefined)
    throw new HttpError('forbidden_address', `${name}: the address is refused (${reason})`);
}

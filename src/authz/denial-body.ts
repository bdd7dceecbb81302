/** The body of a denial in the format that the policy names. Fixed text: nothing of a request or token is in it. */
import type { DenialEntry } from './denial.js';
import type { Policy } from './types.js';

/** A body and its media type. */
export interface DenialBody {
  readonly contentType: string;
  readonly text: string;
}

/**
 * The body of a denial.
 *
 * @param entry the catalogue's row
 * @param format oauth (RFC 6749 5.2 members), problem (RFC 9457), scim (RFC 7644 3.12), or connect for a call of that protocol
 */
export function bodyOf(entry: DenialEntry, format: Policy['errors'] | 'connect'): DenialBody {
  switch (format) {
    case 'oauth':
      return json('application/json', { error: errorOf(entry), error_description: entry.text });
    case 'problem':
      return json('application/problem+json', {
        type: 'about:blank',
        title: TITLES[entry.http],
        status: entry.http,
        detail: entry.text,
        error: errorOf(entry),
      });
    case 'connect':
      return json('application/json', { code: CONNECT_CODES[entry.http], message: entry.text });
    case 'scim':
      return json('application/scim+json', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: String(entry.http),
        detail: entry.text,
      });
  }
}

const TITLES: Readonly<Record<DenialEntry['http'], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  413: 'Content Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Connect's names of the gRPC codes (Connect protocol, "Error Codes"). */
const CONNECT_CODES: Readonly<Record<DenialEntry['http'], string>> = {
  400: 'invalid_argument',
  401: 'unauthenticated',
  403: 'permission_denied',
  413: 'resource_exhausted',
  500: 'internal',
  503: 'unavailable',
};

/** Where the standards name no error, a word that clients know from RFC 6749 4.1.2.1. */
function errorOf(entry: DenialEntry): string {
  if (entry.error !== undefined) return entry.error;
  switch (entry.http) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'access_denied';
    case 503:
      return 'temporarily_unavailable';
    default:
      return 'server_error';
  }
}

function json(contentType: string, value: object): DenialBody {
  return { contentType, text: JSON.stringify(value) };
}

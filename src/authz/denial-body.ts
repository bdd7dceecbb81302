/** The body of a denial in the format that the policy names. The text is fixed: it holds nothing from a request or token. */
import { NO_DECISION_ID } from './decision-id.js';
import type { DenialEntry } from './denial.js';
import type { Policy } from './types.js';

/** A body and its media type. The decision's id belongs between the two parts of the text. */
export interface DenialBody {
  readonly contentType: string;
  readonly before: string;
  /** undefined: the format has no place for the id. */
  readonly after: string | undefined;
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
      return withId('application/json', { error: errorOf(entry), error_description: entry.text });
    case 'problem':
      return withId('application/problem+json', {
        type: 'about:blank',
        title: TITLES[entry.http],
        status: entry.http,
        detail: entry.text,
        error: errorOf(entry),
      });
    case 'connect':
      return {
        contentType: 'application/json',
        before: JSON.stringify({ code: CONNECT_CODES[entry.http], message: entry.text }),
        after: undefined,
      };
    case 'scim':
      return withId('application/scim+json', {
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

/** Where the standards define no error code, one that clients know from RFC 6749 4.1.2.1. */
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

/** The id is the last member of each format; clients ignore members that they do not know. */
function withId(contentType: string, value: object): DenialBody {
  const [before, after] = JSON.stringify({ ...value, decision_id: NO_DECISION_ID }).split(NO_DECISION_ID);
  return { contentType, before: before as string, after };
}

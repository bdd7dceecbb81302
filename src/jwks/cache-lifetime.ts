import type { HttpHeaders } from '../http/read-json-body.js';

/** How long a set is kept whose header fields say nothing. */
const DEFAULT_TTL_MS = 600_000;

/**
 * Reads how long an answer may be kept: Cache-Control before Expires, less the age it already has.
 * Where both `max-age` and `s-maxage` are there, or one of them twice, the shortest counts.
 *
 * @param headers of the answer, untrusted
 * @param nowMs for an Expires without Date, milliseconds since the epoch
 * @returns milliseconds, 0 for "do not keep"; undefined where nothing is said
 * @see RFC 9111 sections 4.2.1 and 5.2.2
 */
export function parseTtlMs(headers: HttpHeaders, nowMs: number): number | undefined {
  const directives = parseDirectives(fieldValue(headers['cache-control']));
  if (directives.some(([name]) => name === 'no-store' || name === 'no-cache')) return 0;
  const ages = directives.filter(([name]) => name === 'max-age' || name === 's-maxage');
  if (ages.length > 0) {
    const lifetimeS = Math.min(...ages.map(([, value]) => parseSeconds(value) ?? 0));
    return Math.max(0, lifetimeS - (parseSeconds(fieldValue(headers.age)) ?? 0)) * 1000;
  }
  return ttlFromExpires(headers, nowMs);
}

/**
 * Puts what an answer allows between the configured bounds.
 *
 * @param ttlMs as `parseTtlMs` read it
 * @param bounds from the configuration; `maxTtlMs` 0 keeps nothing
 * @returns milliseconds
 */
export function clampTtlMs(
  ttlMs: number | undefined,
  { minTtlMs, maxTtlMs }: { readonly minTtlMs: number; readonly maxTtlMs: number },
): number {
  return Math.min(maxTtlMs, Math.max(minTtlMs, ttlMs ?? DEFAULT_TTL_MS));
}

function ttlFromExpires(headers: HttpHeaders, nowMs: number): number | undefined {
  const expires = fieldValue(headers.expires);
  if (expires === undefined) return undefined;
  const expiresMs = Date.parse(expires);
  const dateMs = Date.parse(fieldValue(headers.date) ?? '');
  // RFC 9111 5.3: an Expires that is no date, "0" above all, is in the past.
  if (Number.isNaN(expiresMs) || !expires.includes(' ')) return 0;
  return Math.max(0, expiresMs - (Number.isNaN(dateMs) ? nowMs : dateMs));
}

function parseDirectives(value: string | undefined): (readonly [name: string, value: string | undefined])[] {
  if (value === undefined) return [];
  return value.split(',').map((part) => {
    const [name = '', argument] = part.split('=', 2);
    return [name.trim().toLowerCase(), argument?.trim().replace(/^"(.*)"$/, '$1')] as const;
  });
}

function parseSeconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,10}$/.test(value.trim()) ? Number(value) : undefined;
}

function fieldValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

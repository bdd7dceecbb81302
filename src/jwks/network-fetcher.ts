import { LRUCache } from 'lru-cache';
import type { HttpClient } from '../http/bounded-client.js';
import { HttpError } from '../http/http-error.js';
import type { Clock } from '../ports.js';
import { clampTtlMs, parseTtlMs } from './cache-lifetime.js';
import { discoverJwksUri, type DiscoveryOptions } from './discovery.js';
import type { KeySetFetcher, KeySetRequest } from './ports.js';

/** Metadata that is remembered, one entry per issuer. */
const MAX_REMEMBERED = 10_000;

/** Where a key set is, and how long that may be believed. */
interface Location {
  readonly jwksUri: string;
  readonly untilMs: number;
}

/**
 * Creates the fetcher that asks issuers over the network. Where a key set is found through metadata, the metadata is
 * remembered as long as its header fields and the configured bounds allow, and asked for again after a failure.
 * Does not judge keys.
 *
 * @param http the bounded client
 * @param options the clock
 */
export function createNetworkFetcher(http: HttpClient, { clock }: { readonly clock: Clock }): KeySetFetcher {
  const locations = new LRUCache<string, Location>({ max: MAX_REMEMBERED });

  async function locate(request: KeySetRequest, limits: DiscoveryOptions['limits']): Promise<Location> {
    if (request.source.kind === 'jwksUri') return { jwksUri: request.source.jwksUri, untilMs: 0 };
    const known = request.rediscover ? undefined : locations.get(locationKey(request));
    const nowMs = clock.now();
    if (known !== undefined && nowMs < known.untilMs) return known;
    const { metadataUrl } = request.source;
    const { jwksUri, response } = await discoverJwksUri(request.issuer, { metadataUrl, http, limits });
    return { jwksUri, untilMs: nowMs + clampTtlMs(parseTtlMs(response.headers, nowMs), request.settings) };
  }

  return {
    async fetch(request) {
      const limits = sharedLimits(request, clock);
      const location = await locate(request, limits);
      // Forgotten until the key set it leads to has come.
      locations.delete(locationKey(request));
      const fetchedAtMs = clock.now();
      const { body, headers } = await http.getJson(location.jwksUri, limits());
      if (clock.now() < location.untilMs) locations.set(locationKey(request), location);
      return { jwks: body, ttlMs: parseTtlMs(headers, fetchedAtMs), fetchedAtMs };
    },
  };
}

function locationKey({ issuer, source }: KeySetRequest): string {
  return JSON.stringify([issuer, source]);
}

/** All requests of one fetch live on one time-out. */
function sharedLimits({ settings, signal }: KeySetRequest, clock: Clock): DiscoveryOptions['limits'] {
  const { maxBytes, allowHttp } = settings;
  const deadlineMs = clock.now() + settings.timeoutMs;
  return () => {
    const timeoutMs = Math.min(settings.timeoutMs, deadlineMs - clock.now());
    if (timeoutMs <= 0) throw new HttpError('timeout', `the issuer took more than ${settings.timeoutMs} ms`);
    return { timeoutMs, maxBytes, allowHttp, ...(signal === undefined ? {} : { signal }) };
  };
}

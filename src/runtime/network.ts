import type { Config } from '../config/config.js';
import { createHttpClient } from '../http/bounded-client.js';
import { createNetworkFetcher } from '../jwks/network-fetcher.js';
import type { KeySetFetcher } from '../jwks/ports.js';
import { systemClock } from '../ports.js';

/** The way to the issuers. */
export interface Network {
  readonly fetcher: KeySetFetcher;
  close(): Promise<void>;
}

/** Opens the one HTTP client of a process that asks issuers itself. Opens no connection yet. */
export function openNetwork({ jwks }: Config): Network {
  const http = createHttpClient({
    timeoutMs: jwks.timeout,
    maxBytes: jwks.maxBytes,
    allowHttp: jwks.allowHttp,
  });
  return {
    fetcher: createNetworkFetcher(http, { clock: systemClock }),
    close: () => http.close(),
  };
}

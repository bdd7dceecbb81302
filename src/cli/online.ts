import type { Config, IssuerConfig } from '../config/config.js';
import { createHttpClient, type HttpClient } from '../http/bounded-client.js';
import { openClientKeyDirectory } from '../jwks/client-key-directory.js';
import { parseKeySet } from '../jwks/key-set.js';
import { isFetchedSource } from '../jwks/key-source.js';
import { createNetworkFetcher } from '../jwks/network-fetcher.js';
import { parseStaticKeys } from '../jwks/static-keys.js';
import { silentLogger, systemClock } from '../ports.js';
import { keySourceOf, registrySettingsOf } from '../runtime/key-registry.js';
import { describeError } from './io.js';
import type { IssuerCheck } from './validate.js';

/** As many issuers are asked at once; a file may hold thousands. */
const CONCURRENCY = 16;

/**
 * Asks every issuer of a configuration for its keys, once and with the same client and rules as the server. Keeps
 * nothing.
 *
 * @param config good
 * @returns a line for each issuer, in order
 */
export async function checkIssuersOnline(config: Config): Promise<readonly IssuerCheck[]> {
  const { timeout: timeoutMs, maxBytes, allowHttp } = config.jwks;
  const http = createHttpClient({ timeoutMs, maxBytes, allowHttp });
  const checks: IssuerCheck[] = [];
  const queue = config.issuers.entries();
  const work = async (): Promise<void> => {
    // One iterator is shared, so that each issuer is taken once.
    for (const [index, issuer] of queue)
      checks.push({ index, ...(await checkIssuer(issuer, { config, http })) });
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  } finally {
    await http.close();
  }
  return checks.sort((a, b) => a.index - b.index);
}

async function checkIssuer(
  config: IssuerConfig,
  context: { config: Config; http: HttpClient },
): Promise<Omit<IssuerCheck, 'index'>> {
  const { issuer } = config;
  try {
    return { issuer, ok: true, text: `ok, keys usable: ${await countKeys(config, context)}` };
  } catch (error) {
    return { issuer, ok: false, text: `no keys: ${describeError(error)}` };
  }
}

/** @throws Error where a file cannot be used, or there is none */
function countClients(dir: string): number {
  const refused: string[] = [];
  const directory = openClientKeyDirectory({
    dir,
    clock: systemClock,
    logger: silentLogger,
    metrics: { clientKeyFileRefused: () => void refused.push(dir) },
  });
  const { size } = directory;
  directory.close();
  if (size === 0) throw new Error('no client has usable keys');
  if (refused.length > 0) throw new Error(`${refused.length} files of client keys cannot be used`);
  return size;
}

async function countKeys(
  issuer: IssuerConfig,
  { config, http }: { config: Config; http: HttpClient },
): Promise<number> {
  if (issuer.clientKeys !== undefined) return countClients(issuer.clientKeys.dir);
  const source = keySourceOf(issuer);
  if (!isFetchedSource(source)) return parseStaticKeys(source).keys.length;
  const fetcher = createNetworkFetcher(http, { clock: systemClock });
  const settings = registrySettingsOf(config);
  const { jwks } = await fetcher.fetch({ issuer: issuer.issuer, source, settings, rediscover: true });
  return parseKeySet(jwks).keys.length;
}

/** The HTTP front of a process: a port with a style, in front of the guard of its runtime. */
import type { Config } from '../config/config.js';
import { createForwardAuth } from '../fronts/forward-auth/forward-auth.js';
import type { Guard } from '../guard/guard.js';
import { createAddressSet } from '../http/ip-network.js';
import { systemClock } from '../ports.js';
import { openProxyPort, type ProxyPort } from './http-port.js';

/**
 * Opens the port of `server.http`. In a worker the primary holds the address.
 *
 * @param config the configuration in force, read per question for what a reload may change
 * @returns undefined where it is not configured
 * @throws Error when the address cannot be bound
 */
export async function openHttpFront(guard: Guard, config: () => Config): Promise<ProxyPort | undefined> {
  const { http } = config().server;
  if (http === undefined) return undefined;
  const { address, tls, style, timeout } = http;
  const handler = createForwardAuth({
    guard,
    style,
    trustedProxies: createAddressSet(http.trustedProxies),
    timeoutMs: timeout,
    identityNames: perConfig(config, identityNamesOf),
    changesCookies: perConfig(config, changesCookies),
    now: () => systemClock.now(),
  });
  return openProxyPort(handler, { address, tls });
}

function identityNamesOf({ identity }: Config): readonly string[] {
  const names = Object.keys(identity.headers);
  return identity.token === undefined ? names : [...names, identity.token.header.toLowerCase()];
}

function changesCookies({ credentials, identity }: Config): boolean {
  return identity.credential === 'remove' && credentials.some((place) => place.cookie !== undefined);
}

/** Makes a value once per configuration. */
function perConfig<T>(config: () => Config, make: (config: Config) => T): () => T {
  let known: Config | undefined;
  let value: T;
  return () => {
    const current = config();
    if (current !== known) [known, value] = [current, make(current)];
    return value;
  };
}

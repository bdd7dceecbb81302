import type { MiddlewareHandler } from 'hono';
import { isPlainAddress } from '../http/ip-network.js';

/**
 * Creates the guard against DNS rebinding: a page in a browser can make a name of its own resolve to this port, and then
 * the `Host` header is that name. `localhost`, IP addresses and the configured names pass; others are answered 403.
 *
 * @param names lower-case host names, as they are configured now
 */
export function requireKnownHost(names: () => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const host = hostOf(c.req.header('host') ?? new URL(c.req.url).host);
    const isKnown = host === 'localhost' || isPlainAddress(host) || names().includes(host);
    return isKnown ? next() : c.json({ error: 'this host name is not in server.adminHosts' }, 403);
  };
}

/** Lower-case, without port, brackets and final dot. */
function hostOf(header: string): string {
  const [, bracketed, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{0,5})?$/.exec(header) ?? [];
  return (bracketed ?? name).toLowerCase().replace(/\.$/, '');
}

import type { ConfigValue } from '../config-value.js';
import { type CheckContext, refuse } from './context.js';

const DEFAULT_TOKEN_HEADER = 'x-portcullis-identity';
/** What decides how a message is read, routed or trusted. A claim must never get there. */
const FORBIDDEN = new Set(
  'host authorization proxy-authorization proxy-authenticate content-length content-type content-encoding transfer-encoding connection proxy-connection keep-alive te trailer upgrade expect cookie set-cookie dpop forwarded via x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-prefix x-forwarded-client-cert x-forwarded-method x-forwarded-uri x-original-method x-original-host x-original-uri x-original-url x-rewrite-url x-http-method x-http-method-override x-method-override'.split(
    ' ',
  ),
);
const RESERVED_PREFIXES = ['x-envoy-', 'x-portcullis-'];

/** As upstreams may read a name: `_` and `.` become `-` in CGI, WSGI and the like. */
export function canonicalHeader(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-');
}

/** Identity headers: no dangerous target, no two that an upstream could take for one; and what the token needs. */
export function checkIdentity(ctx: CheckContext): void {
  const identity = ctx.root.get('identity');
  const headers = identity.get('headers');
  const seen = new Map<string, string>();
  for (const name of headers.keys()) {
    const canonical = canonicalHeader(name);
    const other = seen.get(canonical);
    if (other !== undefined)
      refuse(
        ctx,
        headers.get(name),
        `must not be another spelling of ${other}; headers do not differ by case, _ and .`,
      );
    else if (isForbidden(canonical))
      refuse(
        ctx,
        headers.get(name),
        'must be a header that has no meaning of its own; this one is not for identity',
      );
    seen.set(canonical, name);
  }
  if (identity.get('token').exists) checkToken(ctx, { token: identity.get('token'), seen });
}

function checkToken(
  ctx: CheckContext,
  { token, seen }: { token: ConfigValue; seen: ReadonlyMap<string, string> },
): void {
  const header = token.get('header');
  const canonical = canonicalHeader(header.exists ? (header.text ?? '') : DEFAULT_TOKEN_HEADER);
  if (seen.has(canonical)) refuse(ctx, header, 'must not be one of identity.headers');
  if (isForbidden(canonical) && !canonical.startsWith('x-portcullis-'))
    refuse(ctx, header, 'must be a header that has no meaning of its own; this one is not for identity');
  for (const name of ['issuer', 'keys']) {
    const needed = ctx.root.get('tokens').get(name);
    if (!needed.exists) refuse(ctx, needed, 'is required by identity.token');
  }
}

function isForbidden(canonical: string): boolean {
  return FORBIDDEN.has(canonical) || RESERVED_PREFIXES.some((prefix) => canonical.startsWith(prefix));
}

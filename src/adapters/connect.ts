/** `portcullis/connect`: an interceptor for servers of connect-es, which speak Connect, gRPC and gRPC-Web. */
import { Code, ConnectError, createContextKey, type ContextKey, type Interceptor } from '@connectrpc/connect';
import type { Auth, GateDeny } from '../fronts/node/auth.js';
import type { GateRequest } from '../fronts/node/front.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

/** The caller: `context.values.get(authKey)`. undefined: nobody, where no credential is needed. */
export const authKey: ContextKey<Auth | undefined> = createContextKey<Auth | undefined>(undefined, {
  description: 'portcullis: the caller',
});

/**
 * Makes an interceptor for the server's side. A denial is a ConnectError with the headers of the challenge as metadata; a call in a
 * stream is decided on once, when it begins.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect(gate: Gate, options: ProtectOptions = {}): Interceptor {
  const decide = gate.decider(options);
  return (next) => async (call) => {
    const asked = (): GateRequest => {
      const [, authority = '', target = ''] = /^[a-z]+:\/\/([^/?#]*)([^#]*)/i.exec(call.url) ?? [];
      const { requestMethod: method, header: headers } = call;
      return { method, target, host: headers.get('host') ?? authority, headers };
    };
    const decision = await decide(asked);
    if (!decision.allowed) throw errorOf(decision);
    for (const name of decision.removeHeaders) call.header.delete(name);
    for (const [name, value] of decision.setHeaders) call.header.set(name, value);
    call.contextValues.set(authKey, decision.auth);
    const response = await next(call);
    for (const [name, value] of decision.responseHeaders) response.header.append(name, value);
    return response;
  };
}

/** As the gate's own gRPC answers are mapped, so that a client sees one code wherever it is refused. */
const CODES: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  413: Code.InvalidArgument,
  500: Code.Unavailable,
  503: Code.Unavailable,
};

/** Of an HTTP answer, and none of an error's metadata. */
const NOT_METADATA = new Set(['content-type', 'grpc-status', 'cache-control']);

function errorOf({ status, headers, code }: GateDeny): ConnectError {
  const metadata = headers.filter(([name]) => !NOT_METADATA.has(name)).map(([name, value]) => [name, value]);
  return new ConnectError(code, CODES[status] ?? Code.PermissionDenied, metadata);
}

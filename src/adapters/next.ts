/** `portcullis/next`: route handlers of Next.js, and any other handler that takes a Request and gives a Response. */
import type { Auth } from '../fronts/node/auth.js';
import { changeWebRequest, readWebRequest, webRefusal } from '../fronts/node/web-request.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

/** A request that was allowed, with its caller. */
export type AuthenticatedRequest = Request & {
  /** undefined: nobody, where no credential is needed. */
  readonly auth: Auth | undefined;
};

/**
 * Wraps a route handler, such as `export const GET = protect(gate, {}, handler)`. The handler's request has the headers that
 * it may see, and the caller as `auth`.
 *
 * Only a handler is safe to protect: what middleware decides can be passed by, as CVE-2025-29927 did.
 *
 * @param handler further arguments of the framework, such as `params`, are passed on
 * @throws ConfigError for options that cannot be used
 */
export function protect<Rest extends readonly unknown[]>(
  gate: Gate | Promise<Gate>,
  options: ProtectOptions,
  handler: (request: AuthenticatedRequest, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const decide = (await gate).decider(options);
    const decision = await decide(() => readWebRequest(request, { hasLooseRouting: true }));
    if (!decision.allowed) return webRefusal(decision);
    const changed = changeWebRequest(request, decision);
    const { auth } = decision;
    const response = await handler(
      Object.defineProperty(changed, 'auth', { value: auth }) as AuthenticatedRequest,
      ...rest,
    );
    if (decision.responseHeaders.length === 0) return response;
    // Headers of a response that came from elsewhere, such as a redirect, cannot be changed.
    const answer = new Response(response.body, response);
    for (const [name, value] of decision.responseHeaders) answer.headers.append(name, value);
    return answer;
  };
}

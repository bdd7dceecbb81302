/** `portcullis/fastify`: hooks for Fastify 5. */
import type { onRequestAsyncHookHandler } from 'fastify';
import type { Auth } from '../fronts/node/auth.js';
import { withField } from '../fronts/node/node-answer.js';
import { decideOnNode, type NodeGate } from '../fronts/node/node-gate.js';
import { isSamePath } from '../fronts/node/same-path.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller; undefined: nobody, where no credential is needed. Set by `protect()`. */
    auth?: Auth | undefined;
  }
}

/**
 * Makes an `onRequest` hook, for an instance or for one route. It runs before the body is read.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect(gate: Gate, options: ProtectOptions = {}): onRequestAsyncHookHandler {
  const own: NodeGate = { gate, decide: gate.decider(options) };
  return async (request, reply) => {
    request.auth = undefined;
    const { originalUrl, url } = request;
    const facts = {
      target: originalUrl,
      hasTrueTarget: isSamePath(originalUrl, url),
      // Whether case and final slashes count is the instance's choice, which a hook cannot see.
      hasLooseRouting: true,
    };
    const decision = await decideOnNode(own, request.raw, facts);
    const headers = decision.allowed ? decision.responseHeaders : decision.headers;
    for (const [name, value] of headers) {
      if (name === 'dpop-nonce') reply.removeHeader(name);
      reply.header(name, withField(reply.getHeader(name), value));
    }
    if (!decision.allowed) return reply.code(decision.status).send(decision.body);
    request.auth = decision.auth;
    for (const name of decision.removeQuery) delete (request.query as Record<string, unknown>)[name];
    return undefined;
  };
}

/** `portcullis/koa`: middleware for Koa. */
import type { Middleware } from 'koa';
import type { Auth } from '../fronts/node/auth.js';
import { addNodeHeaders } from '../fronts/node/node-answer.js';
import { decideOnNode, type NodeGate } from '../fronts/node/node-gate.js';
import { isRestOfPath } from '../fronts/node/same-path.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

declare module 'koa' {
  interface DefaultState {
    /** The caller; undefined: nobody, where no credential is needed. Set by `protect()`. */
    auth?: Auth | undefined;
  }
}

/**
 * Makes middleware for an app or a router. The caller is `ctx.state.auth`.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect(gate: Gate, options: ProtectOptions = {}): Middleware {
  const own: NodeGate = { gate, decide: gate.decider(options) };
  return async (ctx, next) => {
    ctx.state.auth = undefined;
    const { originalUrl, url } = ctx;
    const facts = {
      target: originalUrl,
      hasTrueTarget: isRestOfPath(originalUrl, url),
      hasLooseRouting: true,
    };
    const decision = await decideOnNode(own, ctx.req, facts);
    if (decision.allowed) {
      addNodeHeaders(ctx.res, decision.responseHeaders);
      ctx.state.auth = decision.auth;
      await next();
      return;
    }
    ctx.status = decision.status;
    ctx.body = decision.body ?? null;
    // A body that is null makes a status of its own.
    ctx.status = decision.status;
    ctx.remove('content-type');
    addNodeHeaders(ctx.res, decision.headers);
  };
}

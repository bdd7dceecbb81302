/** `portcullis/hono`: middleware for Hono, on Node and elsewhere. */
import type { Context, MiddlewareHandler } from 'hono';
import type { Auth, GateAllow, GateDecision } from '../fronts/node/auth.js';
import type { GateRequest } from '../fronts/node/front.js';
import { readNodeRequest, type NodeRequest } from '../fronts/node/node-request.js';
import { isSamePath } from '../fronts/node/same-path.js';
import { changeWebRequest, readWebRequest, webRefusal } from '../fronts/node/web-request.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

declare module 'hono' {
  interface ContextVariableMap {
    /** The caller; undefined: nobody, where no credential is needed. Set by `protect()`. */
    auth: Auth | undefined;
  }
}

/** What earlier middleware of a gate has made of a context. */
interface SeenContext {
  readonly asked: () => GateRequest;
  isProofSpent: boolean;
}

/** By gate, then by context. */
const seen = new WeakMap<Gate, WeakMap<Context, SeenContext>>();

/**
 * Makes middleware. The caller is `c.var.auth`.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect(gate: Gate, options: ProtectOptions = {}): MiddlewareHandler {
  const decide = gate.decider(options);
  return async (c, next) => {
    c.set('auth', undefined);
    const before = seenBy(gate, c);
    const decision: GateDecision = await decide(before.asked, { isProofSpent: before.isProofSpent });
    if (!decision.allowed) return webRefusal(decision);
    before.isProofSpent ||= decision.isProofSpent;
    change(c, decision);
    await next();
    for (const [name, value] of decision.responseHeaders)
      c.header(name, value, { append: name !== 'dpop-nonce' });
    return undefined;
  };
}

function change(c: Context, allow: GateAllow): void {
  c.set('auth', allow.auth);
  c.req.raw = changeWebRequest(c.req.raw, allow);
}

function seenBy(gate: Gate, c: Context): SeenContext {
  let contexts = seen.get(gate);
  if (contexts === undefined) seen.set(gate, (contexts = new WeakMap()));
  let own = contexts.get(c);
  if (own === undefined) contexts.set(c, (own = { asked: questionOf(c), isProofSpent: false }));
  return own;
}

/** On Node the fields are read as they came; elsewhere as the runtime has joined them. */
function questionOf(c: Context): () => GateRequest {
  const incoming = (c.env as { readonly incoming?: NodeRequest } | undefined)?.incoming;
  const { raw } = c.req;
  if (incoming?.rawHeaders === undefined) {
    return () => readWebRequest(raw, { hasLooseRouting: true });
  }
  const { rawHeaders, method, socket, url: target = '' } = incoming;
  const routed = readWebRequest(raw, { hasLooseRouting: true }).target;
  const facts = { target, hasTrueTarget: isSamePath(target, routed), hasLooseRouting: true };
  return () => readNodeRequest({ rawHeaders, method, socket }, facts);
}

/** What earlier decisions of a gate have made of a request, where several handlers ask for one. */

/** An earlier decision. */
export interface Seen {
  /** The fields as the client sent them: the request has lost some since. */
  readonly rawHeaders: string[];
  /** Path and query as the client sent them. */
  readonly target: string;
  isProofSpent: boolean;
}

/** By gate, then by request: gates share nothing, and nothing outlives its request. */
const byGate = new WeakMap<object, WeakMap<object, Seen>>();

/** @returns what the gate has seen of a request; made of the request the first time */
export function seenBy(gate: object, request: { readonly rawHeaders: string[] }, target: string): Seen {
  let seen = byGate.get(gate);
  if (seen === undefined) byGate.set(gate, (seen = new WeakMap()));
  let own = seen.get(request);
  if (own === undefined)
    seen.set(request, (own = { rawHeaders: request.rawHeaders, target, isProofSpent: false }));
  return own;
}

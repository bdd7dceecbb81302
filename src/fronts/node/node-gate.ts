/** One request of node:http at a gate; what every adapter on it has in common. */
import type { GateAllow, GateDecision } from './auth.js';
import type { GateRequest } from './front.js';
import { addNodeHeaders, changeNodeRequest, refuseNode, type NodeResponse } from './node-answer.js';
import { readNodeRequest, type NodeFacts, type NodeRequest } from './node-request.js';
import { seenBy } from './seen.js';

/** A gate, as far as it is asked. */
export interface NodeGate {
  /** Identifies the gate. */
  readonly gate: object;
  readonly decide: (
    read: () => GateRequest,
    facts: { readonly isProofSpent: boolean },
  ) => GateDecision | Promise<GateDecision>;
}

/** Decides on a request, and changes it where it is allowed. Does not write to the response. */
export async function decideOnNode(
  { gate, decide }: NodeGate,
  request: NodeRequest,
  facts: NodeFacts,
): Promise<GateDecision> {
  const seen = seenBy(gate, request, facts.target);
  const { rawHeaders, target, isProofSpent } = seen;
  const { method, socket } = request;
  const asSent = (): GateRequest => readNodeRequest({ method, rawHeaders, socket }, { ...facts, target });
  const decision = await decide(asSent, { isProofSpent });
  if (!decision.allowed) return decision;
  seen.isProofSpent ||= decision.isProofSpent;
  changeNodeRequest(request, decision);
  return decision;
}

/** The same, with the answer of a denial. @returns undefined where the request was answered */
export async function passNode(
  gate: NodeGate,
  { request, response, facts }: { request: NodeRequest; response: NodeResponse; facts: NodeFacts },
): Promise<GateAllow | undefined> {
  const decision = await decideOnNode(gate, request, facts);
  if (decision.allowed) {
    addNodeHeaders(response, decision.responseHeaders);
    return decision;
  }
  refuseNode(response, decision);
  return undefined;
}

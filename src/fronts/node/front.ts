/** A request of this very process as a front: plain values in, a decision in plain values out. */
import { createRequest, type RequestInput } from '../../authz/create-request.js';
import { bodyText } from '../../authz/refusal.js';
import type { Decision, Demands } from '../../authz/types.js';
import type { Front } from '../../guard/guard.js';
import { authOf, type GateAllow, type GateDecision, type GateDeny } from './auth.js';

/** A request in plain values. What the client sent is untrusted. */
export type GateRequest = Omit<
  RequestInput,
  'demands' | 'contextExtensions' | 'callPolicy' | 'callAuthority'
>;

/** What is asked. */
export interface Question {
  /** Reads the request. @throws Denial where it is none */
  readonly read: () => GateRequest;
  /** Name of a policy of the configuration; undefined: the routes choose. Trusted. */
  readonly policy: string | undefined;
  /** undefined: nothing beyond the policy. */
  readonly demands: Demands | undefined;
}

/** The front of the library and of every adapter. */
export const libraryFront: Front<Question, GateDecision> = {
  read: ({ read, policy, demands }) => createRequest({ ...read(), callPolicy: policy, demands }),
  write: (decision) => (decision.kind === 'allow' ? allowOf(decision) : denyOf(decision)),
};

function allowOf({ ctx, upstream, responseHeaders }: Decision & { kind: 'allow' }): GateAllow {
  const { token, proof, match } = ctx;
  return {
    allowed: true,
    decisionId: ctx.id,
    policy: match?.policy.name ?? '',
    auth: token === undefined ? undefined : authOf(token),
    setHeaders: upstream.set,
    removeHeaders: upstream.remove,
    removeQuery: upstream.removeQuery,
    responseHeaders,
    isProofSpent: proof !== undefined && match?.policy.consumeProof === true,
  };
}

function denyOf({ ctx, denial, refusal }: Decision & { kind: 'deny' }): GateDeny {
  return {
    allowed: false,
    decisionId: ctx.id,
    policy: ctx.match?.policy.name,
    code: denial.code,
    status: refusal.status,
    headers: refusal.headers,
    body: refusal.body === undefined ? undefined : bodyText(refusal.body, ctx.id),
  };
}

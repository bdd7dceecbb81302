/** `portcullis/node`: the gate in a server of node:http or node:http2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Auth } from '../fronts/node/auth.js';
import { passNode, type NodeGate } from '../fronts/node/node-gate.js';
import type { NodeResponse } from '../fronts/node/node-answer.js';
import type { NodeRequest } from '../fronts/node/node-request.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

/** A request that was allowed. */
export interface AllowedRequest {
  /** undefined: nobody, where no credential is needed. */
  readonly auth: Auth | undefined;
}

/**
 * Decides on a request and answers it where it is denied.
 *
 * @returns undefined: the request was answered, and the handler must not go on
 */
export type Protect<Request = IncomingMessage, Response = ServerResponse> = (
  request: Request,
  response: Response,
) => Promise<AllowedRequest | undefined>;

/**
 * Makes the check for handlers of node:http. An allowed request has the headers that its handler may see.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect<Request extends object = IncomingMessage, Response extends object = ServerResponse>(
  gate: Gate,
  options: ProtectOptions = {},
): Protect<Request, Response> {
  const own: NodeGate = { gate, decide: gate.decider(options) };
  return async (incoming, outgoing) => {
    const request = incoming as unknown as NodeRequest;
    const facts = { target: request.url ?? '', hasLooseRouting: true };
    const passed = await passNode(own, { request, response: outgoing as unknown as NodeResponse, facts });
    return passed && { auth: passed.auth };
  };
}

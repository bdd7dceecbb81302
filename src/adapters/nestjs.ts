/** `portcullis/nestjs`: a guard for NestJS, on Express or Fastify. */
import { createParamDecorator, HttpException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Auth, GateDeny } from '../fronts/node/auth.js';
import { addNodeHeaders, refuseNode, type NodeResponse } from '../fronts/node/node-answer.js';
import { decideOnNode, type NodeGate } from '../fronts/node/node-gate.js';
import type { NodeRequest } from '../fronts/node/node-request.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

/** A request of Nest: Express's own, or Fastify's around that of Node. */
interface NestRequest {
  readonly raw?: NodeRequest;
  readonly originalUrl: string;
  auth?: Auth | undefined;
}

/** A response of Nest: Express's own, or Fastify's around that of Node. */
interface NestReply extends NodeResponse {
  readonly raw?: NodeResponse;
  /** Fastify's: it leaves the answer to us. */
  hijack?(): unknown;
}

/**
 * Makes a guard, for `@UseGuards(protect(gate))` or `app.useGlobalGuards(protect(gate))`. Several may follow each other: all of
 * them must allow the request, and a DPoP proof is used up once. Anything but HTTP is refused.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect(gate: Gate, options: ProtectOptions = {}): CanActivate {
  const own: NodeGate = { gate, decide: gate.decider(options) };
  return {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      if (context.getType() !== 'http') return false;
      const request = context.switchToHttp().getRequest<NestRequest>();
      const reply = context.switchToHttp().getResponse<NestReply>();
      const response = reply.raw ?? reply;
      request.auth = undefined;
      const facts = { target: request.originalUrl, hasLooseRouting: true };
      const raw = request.raw ?? (request as unknown as NodeRequest);
      const decision = await decideOnNode(own, raw, facts);
      if (decision.allowed) {
        addNodeHeaders(response, decision.responseHeaders);
        request.auth = decision.auth;
        return true;
      }
      // Nest would send every error as application/json, so the answer is written here; its filter then only ends it.
      reply.hijack?.();
      refuseNode(response, decision);
      throw refusalOf(decision);
    },
  };
}

/** The caller, as a parameter of a handler: `@Caller() caller: Auth`. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): Auth | undefined => {
  return context.switchToHttp().getRequest<NestRequest>().auth;
});

/** For filters of the application that count or log: the client was answered already. */
function refusalOf({ status, body }: GateDeny): HttpException {
  return new HttpException(contentOf(body), status);
}

function contentOf(body: string | undefined): string | Record<string, unknown> {
  if (!body?.startsWith('{')) return body ?? '';
  return JSON.parse(body) as Record<string, unknown>;
}

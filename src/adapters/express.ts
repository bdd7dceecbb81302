/** `portcullis/express`: middleware for Express 4 and 5. */
import type { RequestHandler } from 'express';
import type { Auth } from '../fronts/node/auth.js';
import { passNode, type NodeGate } from '../fronts/node/node-gate.js';
import { isSamePath } from '../fronts/node/same-path.js';
import type { Gate } from '../library/gate-types.js';
import type { ProtectOptions } from '../library/protect-options.js';

export type { Auth } from '../fronts/node/auth.js';
export type { ProtectOptions } from '../library/protect-options.js';

declare global {
  // Express has no other way to extend its request.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** The caller; undefined: nobody, where no credential is needed. Set by `protect()`. */
      auth?: Auth | undefined;
    }
  }
}

/**
 * Makes middleware for an app, a router or a route. Several may follow each other: all of them must allow the request, and a
 * DPoP proof is used up once.
 *
 * @throws ConfigError for options that cannot be used
 */
export function protect(gate: Gate, options: ProtectOptions = {}): RequestHandler {
  const own: NodeGate = { gate, decide: gate.decider(options) };
  return (request, response, next) => {
    request.auth = undefined;
    const { originalUrl, baseUrl, url } = request;
    // What a middleware has rewritten is not what the client signed, nor what routes are about.
    const hasTrueTarget = isSamePath(originalUrl, baseUrl + url);
    const facts = { target: originalUrl, hasTrueTarget, hasLooseRouting: true };
    passNode(own, { request: request, response, facts }).then((passed) => {
      if (passed === undefined) return;
      request.auth = passed.auth;
      next();
    }, next);
  };
}

import type { VerifiedToken } from '../../authz/types.js';
import { isJsonObject, type JsonObject } from '../../ports.js';
import { OAuthError } from '../oauth-error.js';

/** How many actors may stand behind each other. */
const MAX_DEPTH = 4;

/**
 * The `act` claim of an exchanged token: the actor in front, and behind it those who acted before.
 *
 * @param subject verified
 * @param actor verified; undefined: nobody new acts, and whoever did before stays
 * @throws OAuthError invalid_request where the chain is too long or ill-formed
 * @see RFC 8693 section 4.1
 */
export function chainActor(subject: VerifiedToken, actor: VerifiedToken | undefined): JsonObject | undefined {
  const before = subject.claims.act;
  const depth = depthOf(before) + (actor === undefined ? 0 : 1 + depthOf(actor.claims.act));
  if (depth > MAX_DEPTH) throw refuse('too many actors stand behind each other');
  if (actor === undefined) return before as JsonObject | undefined;
  const { sub, client_id: clientId, iss, act } = actor.claims;
  // An actor that was delegated to itself keeps its own chain, and the subject's ends it.
  return { sub: sub ?? clientId, iss, client_id: clientId, act: joinChains(act, before) };
}

function joinChains(first: unknown, second: unknown): unknown {
  if (!isJsonObject(first)) return second;
  return { ...first, act: joinChains(first.act, second) };
}

/**
 * Asserts that the subject token lets this party act, where it says who may.
 *
 * @param actor verified; undefined: the client acts
 * @throws OAuthError invalid_request
 * @see RFC 8693 section 4.4
 */
export function mayAct(
  subject: VerifiedToken,
  actor: VerifiedToken | undefined,
  client: { readonly issuer: string; readonly clientId: string },
): void {
  const { may_act: allowed } = subject.claims;
  if (allowed === undefined) return;
  const { issuer: iss, clientId } = client;
  const party: JsonObject = actor?.claims ?? { iss, sub: clientId, client_id: clientId };
  const isAllowed =
    isJsonObject(allowed) &&
    Object.keys(allowed).length > 0 &&
    Object.entries(allowed).every(([name, value]) => typeof value === 'string' && party[name] === value);
  if (!isAllowed) throw refuse('the subject token lets another party act');
}

function depthOf(act: unknown): number {
  let depth = 0;
  for (let one = act; one !== undefined; one = one.act) {
    if (!isJsonObject(one)) throw refuse('act is not an object');
    if (++depth > MAX_DEPTH) throw refuse('too many actors stand behind each other');
  }
  return depth;
}

function refuse(description: string): OAuthError {
  return new OAuthError('invalid_request', description);
}

/** Signed messages that issuers send to us: logout tokens and security event tokens. Both are JWTs with `events`. */
import { LRUCache } from 'lru-cache';
import { readJson, splitCompactJws, type JwsSegments } from '../jws/compact.js';
import { readJoseHeader, type JoseHeader } from '../jws/header.js';
import { JwsRejection } from '../jws/jws-rejection.js';
import { verifySignature } from '../jws/verify.js';
import type { SignatureAlgorithm, VerificationKey } from '../jwk/types.js';
import { KeysUnavailableError, type IssuerKeys } from '../jwks/types.js';
import { isJsonObject, type JsonObject } from '../ports.js';

/** Why a message is refused, in the words of RFC 8935 2.4. */
export type MessageFault =
  'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience' | 'authentication_failed';

/** A message that is refused. Not an Error: a flood of garbage must not pay for stacks. */
export class MessageRejection {
  /** @param description what is wrong, without anything of the message */
  constructor(
    readonly fault: MessageFault,
    readonly description: string,
  ) {}
}

/** The issuer's keys are not available. That is no fault of the message: it may be sent again. */
export class MessageUndecidableError extends Error {
  override readonly name = 'MessageUndecidableError';
}

/** An issuer that may send messages, as configured. */
export interface MessageIssuer {
  readonly issuer: string;
  /** Must be in `aud`, byte for byte. */
  readonly audience: string;
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly clockToleranceMs: number;
  readonly keys: IssuerKeys;
}

/** What a kind of message is held to. */
export interface MessageRules {
  /** By issuer identifier. Nothing is fetched for others. */
  readonly issuers: ReadonlyMap<string, MessageIssuer>;
  /** Accepted `typ`, in lower case and without `application/`; undefined: absent. */
  readonly types: ReadonlySet<string | undefined>;
  /** Must `exp` be there? */
  readonly requiresExpiry: boolean;
  /** How old `iat` may be, seconds. */
  readonly maxAgeS: number;
}

/** A message whose signature and common claims are verified. What its events say is not looked at. */
export interface VerifiedMessage {
  readonly issuer: string;
  readonly claims: JsonObject;
  readonly jti: string;
  readonly issuedAtS: number;
  /** Event type → its payload; at least one. */
  readonly events: ReadonlyMap<string, JsonObject>;
}

/** Longer messages are refused by the port already. */
const MAX_BYTES = 65_536;
/** Of identifiers, in characters. */
const MAX_LENGTH = 1024;
/** A message that says it is good for longer could not be remembered for as long. */
const MAX_LIFETIME_S = 86_400;

/**
 * Verifies a message: form, type, issuer, algorithm, key, signature, then iss, aud, iat, exp, jti and the shape of
 * events. The order keeps garbage cheap. Does not remember the jti.
 *
 * @param text untrusted
 * @param nowMs milliseconds since the epoch
 * @throws MessageRejection, MessageUndecidableError
 * @see RFC 8417 section 2, RFC 8935 section 2.4, OpenID Connect Back-Channel Logout 1.0 section 2.6
 */
export async function verifyMessage(
  text: string,
  rules: MessageRules,
  nowMs: number,
): Promise<VerifiedMessage> {
  const { jws, header, claims } = parse(text);
  const typ = header.typ?.replace(/^application\//, '');
  if (!rules.types.has(typ)) throw new MessageRejection('invalid_request', 'the typ is not accepted');
  const issuer = typeof claims.iss === 'string' ? rules.issuers.get(claims.iss) : undefined;
  if (issuer === undefined) throw new MessageRejection('invalid_issuer', 'the issuer is not accepted');
  await assertSignature(jws, header, issuer);
  assertAudience(claims.aud, issuer.audience);
  const issuedAtS = readTimes(claims, { issuer, rules, nowMs });
  const jti = readText(claims.jti);
  if (jti === undefined) throw new MessageRejection('invalid_request', 'jti is missing or not a text');
  return { issuer: issuer.issuer, claims, jti, issuedAtS, events: readEvents(claims.events) };
}

/** @returns a claim that is a text of usable length; undefined for everything else */
export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH ? value : undefined;
}

interface ParsedMessage {
  readonly jws: JwsSegments;
  readonly header: JoseHeader;
  readonly claims: JsonObject;
}

function parse(text: string): ParsedMessage {
  try {
    const jws = splitCompactJws(text, MAX_BYTES);
    const raw = readJson(jws.header);
    const header = readJoseHeader(raw);
    if (raw.jwk !== undefined)
      throw new MessageRejection('invalid_key', 'a key in the header is not accepted');
    return { jws, header, claims: readJson(jws.payload) };
  } catch (error) {
    if (error instanceof JwsRejection) throw new MessageRejection('invalid_request', 'not a well-formed JWT');
    throw error;
  }
}

async function assertSignature(
  jws: JwsSegments,
  { kid, alg: name }: JoseHeader,
  { keys, algorithms }: MessageIssuer,
): Promise<void> {
  const alg = name as SignatureAlgorithm;
  if (!algorithms.has(alg)) throw new MessageRejection('invalid_key', 'the algorithm is not accepted');
  const candidates = await findKeys(keys, kid, alg);
  if (candidates.length === 0) throw new MessageRejection('invalid_key', 'it is signed with an unknown key');
  if (candidates.some((key) => verifySignature(jws, key, alg))) return;
  throw new MessageRejection('authentication_failed', 'the signature is not valid');
}

async function findKeys(
  keys: IssuerKeys,
  kid: string | undefined,
  alg: string,
): Promise<readonly VerificationKey[]> {
  try {
    // No claims: where each client has its own key, none of them speaks for the issuer.
    return await keys.find(kid, alg, {});
  } catch (error) {
    if (error instanceof KeysUnavailableError)
      throw new MessageUndecidableError('the keys of the issuer are not available', { cause: error });
    throw error;
  }
}

function assertAudience(aud: unknown, audience: string): void {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(audience)) throw new MessageRejection('invalid_audience', 'it is not meant for us');
}

/** @returns `iat` */
function readTimes(
  claims: JsonObject,
  { issuer, rules, nowMs }: { issuer: MessageIssuer; rules: MessageRules; nowMs: number },
): number {
  const { requiresExpiry, maxAgeS } = rules;
  const { iat, exp } = claims;
  const toleranceMs = issuer.clockToleranceMs;
  if (typeof iat !== 'number' || iat < 0)
    throw new MessageRejection('invalid_request', 'iat is missing or no time');
  if (iat * 1000 > nowMs + toleranceMs) throw new MessageRejection('invalid_request', 'iat is in the future');
  if (nowMs > (iat + maxAgeS) * 1000 + toleranceMs)
    throw new MessageRejection('invalid_request', 'iat is too long ago');
  if (exp === undefined && !requiresExpiry) return iat;
  if (typeof exp !== 'number') throw new MessageRejection('invalid_request', 'exp is missing or no time');
  if (nowMs >= exp * 1000 + toleranceMs) throw new MessageRejection('invalid_request', 'it has expired');
  if (exp * 1000 > nowMs + toleranceMs + MAX_LIFETIME_S * 1000)
    throw new MessageRejection('invalid_request', 'it lives for more than a day');
  return iat;
}

function readEvents(events: unknown): ReadonlyMap<string, JsonObject> {
  if (!isJsonObject(events))
    throw new MessageRejection('invalid_request', 'events is missing or not an object');
  const read = new Map<string, JsonObject>();
  for (const [type, payload] of Object.entries(events)) {
    if (!isJsonObject(payload)) throw new MessageRejection('invalid_request', 'an event is not an object');
    read.set(type, payload);
  }
  if (read.size === 0) throw new MessageRejection('invalid_request', 'events is empty');
  return read;
}

/** Messages that are remembered, and for how long: longer than one is good for. */
const MAX_SEEN = 100_000;
const SEEN_MS = (MAX_LIFETIME_S + 3600) * 1000;

/** Remembers which messages were taken. Bounded: only messages with a good signature come in. */
export interface SeenMessages {
  /** @returns false where it was there already */
  add(message: VerifiedMessage): boolean;
  /** It had no effect after all, and may be sent again. */
  forget(message: VerifiedMessage): void;
}

/** @param now milliseconds since the epoch */
export function createSeenMessages(now: () => number): SeenMessages {
  const seen = new LRUCache<string, true>({ max: MAX_SEEN, ttl: SEEN_MS, perf: { now } });
  const keyOf = ({ issuer, jti }: VerifiedMessage): string => JSON.stringify([issuer, jti]);
  return {
    add(message) {
      if (seen.has(keyOf(message))) return false;
      seen.set(keyOf(message), true);
      return true;
    },
    forget: (message) => void seen.delete(keyOf(message)),
  };
}

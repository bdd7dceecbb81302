import { isJsonObject, type JsonObject } from '../ports.js';
import { MessageRejection, readText } from './signed-message.js';

/** Whom an event is about, in the terms of the issuer's access tokens. Both undefined: nobody who is known here. */
export interface EventSubject {
  /** `sub` */
  readonly user: string | undefined;
  /** `sid` */
  readonly session: string | undefined;
}

const NOBODY: EventSubject = { user: undefined, session: undefined };

/** Formats whose identifiers are in no access token (RFC 9493 3.2, Shared Signals Framework 1.0 3.4). */
const ELSEWHERE = new Set([
  'account',
  'did',
  'email',
  'ip-addresses',
  'jwt_id',
  'phone_number',
  'saml_assertion_id',
  'uri',
]);
const MAX_ALIASES = 32;

/**
 * Reads a subject identifier: `iss_sub`, `opaque`, `aliases` with one of them, and complex ones with `user` and `session`.
 * Other registered formats name nobody: an address or a telephone number is in no token. Unknown formats are refused. Further members of a complex subject, such as a device, are not known
 * here, so the event counts for all of the user.
 *
 * @param identifier untrusted but signed
 * @param issuer of the event; a subject of any other one is refused, since nobody may revoke there
 * @throws MessageRejection invalid_request
 * @see RFC 9493 section 3, OpenID Shared Signals Framework 1.0 section 3
 */
export function readSubject(identifier: JsonObject, issuer: string): EventSubject {
  const { format } = identifier;
  if (format === 'complex' || (format === undefined && isComplex(identifier))) {
    return {
      user: readMember(identifier.user, issuer),
      session: readMember(identifier.session, issuer),
    };
  }
  if (typeof format !== 'string') throw invalid('the format of the subject is missing');
  const user = readSimple(identifier, issuer);
  return user === undefined ? NOBODY : { user, session: undefined };
}

function isComplex({ user, session }: JsonObject): boolean {
  return user !== undefined || session !== undefined;
}

function readMember(member: unknown, issuer: string): string | undefined {
  if (member === undefined) return undefined;
  if (!isJsonObject(member)) throw invalid('a member of the subject is not an object');
  return readSimple(member, issuer);
}

function readSimple(identifier: JsonObject, issuer: string): string | undefined {
  if (identifier.format === 'aliases') return readAliases(identifier.identifiers, issuer);
  return readOne(identifier, issuer);
}

function readOne({ format, iss, sub, id }: JsonObject, issuer: string): string | undefined {
  if (format === 'iss_sub') {
    if (iss !== issuer) throw invalid('the subject is of another issuer');
    return required(sub);
  }
  if (format === 'opaque') return required(id);
  if (typeof format !== 'string' || !ELSEWHERE.has(format))
    throw invalid('the format of the subject is not known');
  return undefined;
}

/** All of them are names of one subject. What it is called elsewhere, and at other issuers, is passed over. */
function readAliases(identifiers: unknown, issuer: string): string | undefined {
  if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > MAX_ALIASES)
    throw invalid('aliases need a list of identifiers');
  for (const one of identifiers as readonly unknown[]) {
    if (!isJsonObject(one)) throw invalid('an alias is not an object');
    const isElsewhere = one.format === 'iss_sub' && one.iss !== issuer;
    const user = isElsewhere ? undefined : readOne(one, issuer);
    if (user !== undefined) return user;
  }
  return undefined;
}

function required(value: unknown): string {
  const text = readText(value);
  if (text === undefined) throw invalid('the subject lacks its identifier');
  return text;
}

function invalid(description: string): MessageRejection {
  return new MessageRejection('invalid_request', description);
}

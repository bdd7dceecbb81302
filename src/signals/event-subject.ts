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

/**
 * Reads a subject identifier: `iss_sub`, `opaque`, and complex ones with `user` and `session`. Other formats name nobody:
 * an address or a telephone number is in no token. Further members of a complex subject, such as a device, are not known
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

function readSimple({ format, iss, sub, id }: JsonObject, issuer: string): string | undefined {
  if (format === 'iss_sub') {
    if (iss !== issuer) throw invalid('the subject is of another issuer');
    return required(sub);
  }
  return format === 'opaque' ? required(id) : undefined;
}

function required(value: unknown): string {
  const text = readText(value);
  if (text === undefined) throw invalid('the subject lacks its identifier');
  return text;
}

function invalid(description: string): MessageRejection {
  return new MessageRejection('invalid_request', description);
}

import { parseStrictJsonText } from '../jws/strict-json.js';
import { JwsRejection } from '../jws/jws-rejection.js';
import type { JsonObject } from '../ports.js';

/** An answer that is not one. The message holds nothing of it. */
export class IllFormedAnswerError extends Error {
  override readonly name = 'IllFormedAnswerError';
}

/** What an answer says: the claims of an active token, or `undefined` for one that is not active. */
export type Claims = JsonObject | undefined;

/**
 * Reads an answer: one JSON object with a boolean `active`. Does not judge any other member.
 *
 * @param text of the answer, untrusted; the caller has bounded its length
 * @throws IllFormedAnswerError
 * @see RFC 7662 section 2.2
 */
export function readAnswer(text: string): Claims {
  return claimsOf(parse(text));
}

/**
 * Reads the object of an answer that was taken out of something else.
 *
 * @throws IllFormedAnswerError where `active` is missing or not a boolean
 */
export function claimsOf(answer: unknown): Claims {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw illFormed('not an object');
  const { active } = answer as JsonObject;
  if (typeof active !== 'boolean') throw illFormed('active is missing or not a boolean');
  return active ? (answer as JsonObject) : undefined;
}

function parse(text: string): JsonObject {
  try {
    return parseStrictJsonText(text);
  } catch (error) {
    // The parser's own message may quote the answer.
    if (error instanceof JwsRejection) throw illFormed('not JSON that can be read in one way');
    throw error;
  }
}

function illFormed(what: string): IllFormedAnswerError {
  return new IllFormedAnswerError(what);
}

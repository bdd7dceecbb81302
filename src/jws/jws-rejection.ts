/** Why a JWS was rejected before its signature was verified. The codes are for logs and tests, and hold no part of the text. */
export type JwsRejectionCode =
  | 'too_large'
  | 'not_compact'
  | 'not_base64url'
  | 'not_utf8'
  | 'not_json'
  | 'not_an_object'
  | 'duplicate_member'
  | 'too_deep'
  | 'too_many_members'
  | 'lone_surrogate'
  | 'number_out_of_range'
  | 'bad_algorithm'
  | 'bad_kid'
  | 'bad_type'
  | 'critical_header'
  | 'unsupported_header';

/**
 * A text that is not a JWS that we accept. Not an Error: stack traces would make a flood of garbage expensive.
 * The layers above turn it into an answer of their own.
 */
export class JwsRejection {
  /** @param code which rule was broken */
  constructor(readonly code: JwsRejectionCode) {}
}

/** Why a JWS was not even looked at further. The words are for logs and tests; none holds a part of the text. */
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
 * A text that is not a JWS we read. Not an Error: a flood of garbage must not pay for stacks.
 * The layers above turn it into an answer of their own.
 */
export class JwsRejection {
  /** @param code which rule was broken */
  constructor(readonly code: JwsRejectionCode) {}
}

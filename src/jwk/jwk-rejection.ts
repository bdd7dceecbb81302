/** Why a key is not used. The codes are for logs and tests, and hold no key material. */
export type JwkRejectionCode =
  | 'not_an_object'
  | 'unsupported_key_type'
  | 'unsupported_curve'
  | 'symmetric_key'
  | 'private_key'
  | 'wrong_use'
  | 'bad_kid'
  | 'algorithm_mismatch'
  | 'malformed_member'
  | 'weak_key'
  | 'weak_secret'
  | 'invalid_key'
  | 'unsupported_pem';

/** A key that breaks a rule. Not an Error: one bad key among good ones is expected, and so is one in a proof. */
export class JwkRejection {
  /** @param code which rule was broken */
  constructor(readonly code: JwkRejectionCode) {}
}

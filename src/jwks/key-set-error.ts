import { HttpError, type HttpErrorCode } from '../http/http-error.js';

/** What can be wrong with a document that did arrive. */
export type KeySetErrorCode = 'invalid_metadata' | 'issuer_mismatch' | 'invalid_key_set' | 'no_usable_keys';

/** Every word that a failed fetch can be reported with. */
export type KeySetFailureCode = KeySetErrorCode | HttpErrorCode | 'internal';

/** A document that arrived and is of no use. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
  /**
   * @param code the stable word
   * @param message for the operator's log; holds no key material
   */
  constructor(
    readonly code: KeySetErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The stable word for whatever a fetch threw.
 *
 * @param error anything
 */
export function failureCode(error: unknown): KeySetFailureCode {
  return error instanceof HttpError || error instanceof KeySetError ? error.code : 'internal';
}

/**
 * A field block that cannot be decoded. The dynamic tables of both ends differ from here on, so it is an error of the
 * connection, COMPRESSION_ERROR. Carries no stack: it is expected of hostile input. Its message holds no header value.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-4.3
 */
export class HpackError {
  constructor(readonly message: string) {}
}

/**
 * Decodes canonical base64url (RFC 4648 5) and nothing else: no padding, no whitespace, no `+` or `/`, no spare bits,
 * so that two different texts never decode to the same bytes. An empty text gives empty bytes.
 *
 * @param text untrusted
 * @returns the bytes, or undefined where the text is not canonical
 * @see RFC 7515 section 2
 */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node's decoder takes both alphabets, skips what it does not know and ignores spare bits. Only a canonical
  // text survives the way back.
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** 42 free characters carry 252 bits; the last one carries 4, so its two low bits are zero. */
const SHA256_TEXT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Is this the canonical base64url text of 32 bytes, as thumbprints and hashes are written?
 *
 * @param value untrusted, of any type
 */
export function isSha256Text(value: unknown): value is string {
  return typeof value === 'string' && SHA256_TEXT.test(value);
}

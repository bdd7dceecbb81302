/** Header values between node, which gives a character for each byte, and decisions, which are made on text. */

// eslint-disable-next-line no-control-regex
const BEYOND_ASCII = /[^\x00-\x7f]/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** @returns the text of a value's bytes; U+FFFD, which equals nothing, where they are not UTF-8 */
export function headerText(bytes: string): string {
  if (!BEYOND_ASCII.test(bytes)) return bytes;
  try {
    return strictUtf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return '\ufffd';
  }
}

/** @returns what node writes as the UTF-8 bytes of a text */
export function headerBytes(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

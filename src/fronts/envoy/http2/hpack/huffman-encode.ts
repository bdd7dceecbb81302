import { type HuffmanCode, HUFFMAN_CODES } from './huffman-code.js';

/**
 * @param text latin1
 * @returns how many octets its Huffman code takes
 */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) bits += codeOf(text.charCodeAt(index)).length;
  return (bits + 7) >>> 3;
}

/**
 * Writes the Huffman code of a text, padded with ones.
 *
 * @param text latin1
 * @returns the position after it
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-5.2
 */
export function writeHuffman(out: Buffer, at: number, text: string): number {
  let position = at;
  let pending = 0;
  let count = 0;
  const put = (bits: number, length: number): void => {
    pending = (pending << length) | bits;
    count += length;
    for (; count >= 8; count -= 8) out[position++] = pending >>> (count - 8);
    pending &= 0xff;
  };
  for (let index = 0; index < text.length; index++) {
    const { bits, length } = codeOf(text.charCodeAt(index));
    // Seven bits may be pending: more than 24 at once would not fit into 32.
    if (length > 16) put(bits >>> 16, length - 16);
    put(bits & 0xffff, Math.min(length, 16));
  }
  if (count > 0) put((1 << (8 - count)) - 1, 8 - count);
  return position;
}

function codeOf(octet: number): HuffmanCode {
  if (octet > 0xff) throw new RangeError('a header field holds a character that is not latin1');
  return HUFFMAN_CODES[octet] as HuffmanCode;
}

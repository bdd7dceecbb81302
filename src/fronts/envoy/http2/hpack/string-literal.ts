import { type Cursor } from './cursor.js';
import { HpackError } from './hpack-error.js';
import { readHuffman } from './huffman-decode.js';
import { huffmanLength, writeHuffman } from './huffman-encode.js';
import { readInteger, writeInteger } from './integer.js';

const HUFFMAN = 0x80;
const LENGTH_MASK = 0x7f;

/**
 * Reads a string literal, as it is or in Huffman code. Which octets a name or a value may hold is not checked here.
 *
 * @returns latin1
 * @throws HpackError where the string does not end within the block, or its Huffman code is wrong
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-5.2
 */
export function readString(cursor: Cursor): string {
  const { octets, end } = cursor;
  const isHuffman = cursor.position < end && (octets[cursor.position] as number) >= HUFFMAN;
  const length = readInteger(cursor, LENGTH_MASK);
  if (length > end - cursor.position) throw new HpackError('a string is longer than the block');
  if (isHuffman) return readHuffman(cursor, length);
  const start = cursor.position;
  cursor.position += length;
  return octets.toString('latin1', start, cursor.position);
}

/**
 * Writes a string literal, in Huffman code where that is shorter.
 *
 * @param text latin1
 * @returns the position after it
 */
export function writeString(out: Buffer, at: number, text: string): number {
  const coded = huffmanLength(text);
  if (coded < text.length) {
    const start = writeInteger(out, at, { value: coded, pattern: HUFFMAN, prefixMask: LENGTH_MASK });
    return writeHuffman(out, start, text);
  }
  const start = writeInteger(out, at, { value: text.length, pattern: 0, prefixMask: LENGTH_MASK });
  return start + out.write(text, start, 'latin1');
}

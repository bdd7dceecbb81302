import { type Cursor } from './cursor.js';
import { HpackError } from './hpack-error.js';

/** An integer of more continuation octets exceeds every length, index and size there can be, or is padded with zeros. */
const MAX_CONTINUATION_OCTETS = 5;

/**
 * Reads an integer whose first octet holds it, or its beginning, in the low bits. Stops after five continuation octets
 * (2^35), so a run of octets cannot keep it busy or overflow it.
 *
 * @param prefixMask the low bits of the first octet that belong to the integer: 2^N - 1 for an N-bit prefix
 * @throws HpackError where the block ends within the integer, or it is too long
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-5.1
 */
export function readInteger(cursor: Cursor, prefixMask: number): number {
  const { octets, end } = cursor;
  if (cursor.position >= end) throw new HpackError('the block ends before an integer');
  let value = (octets[cursor.position++] as number) & prefixMask;
  if (value < prefixMask) return value;
  for (let count = 0, weight = 1; count < MAX_CONTINUATION_OCTETS; count++, weight *= 128) {
    if (cursor.position >= end) throw new HpackError('the block ends within an integer');
    const octet = octets[cursor.position++] as number;
    value += (octet & 0x7f) * weight;
    if (octet < 0x80) return value;
  }
  throw new HpackError('an integer is too long');
}

/**
 * Writes an integer with an N-bit prefix.
 *
 * @param pattern the high bits of the first octet
 * @param prefixMask 2^N - 1
 * @returns the position after it
 */
export function writeInteger(
  out: Buffer,
  at: number,
  { value, pattern, prefixMask }: { value: number; pattern: number; prefixMask: number },
): number {
  let position = at;
  if (value < prefixMask) {
    out[position++] = pattern | value;
    return position;
  }
  out[position++] = pattern | prefixMask;
  let rest = value - prefixMask;
  while (rest >= 0x80) {
    out[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[position++] = rest;
  return position;
}

/** How many octets `writeInteger` takes at most, for any prefix and any 32-bit value. */
export const MAX_INTEGER_OCTETS = 6;

import { type Cursor } from './cursor.js';
import { HpackError } from './hpack-error.js';
import { EOS, HUFFMAN_CODES } from './huffman-code.js';

/**
 * Tables of 256 entries, one after the other; the first is the root. An entry is indexed by the next eight bits. It is
 * a symbol with how many of those bits it takes (`length << 9 | symbol`), or the offset of the table for the eight bits
 * after them (`CONTINUES | offset`).
 */
const CONTINUES = 0x8000;
const TABLES = buildTables();

function buildTables(): Uint16Array {
  const entries: number[] = new Array<number>(256).fill(0);
  HUFFMAN_CODES.forEach(({ bits, length }, symbol) => {
    let table = 0;
    let left = length;
    for (; left > 8; left -= 8) table = nextTable(entries, table + ((bits >>> (left - 8)) & 0xff));
    const first = table + ((bits << (8 - left)) & 0xff);
    entries.fill((left << 9) | symbol, first, first + (1 << (8 - left)));
  });
  return Uint16Array.from(entries);
}

/** @returns the offset of the table that `entry` leads to, which is made where it is missing */
function nextTable(entries: number[], entry: number): number {
  if (entries[entry] === 0) {
    entries[entry] = CONTINUES | entries.length;
    entries.push(...new Array<number>(256).fill(0));
  }
  return (entries[entry] as number) & ~CONTINUES;
}

/** Strings of a usual length are decoded here. A longer one gets a buffer of its own, which is not kept. */
const SCRATCH = Buffer.allocUnsafeSlow(16 * 1024);

/**
 * Decodes `length` octets of Huffman code at the cursor, which the caller has checked to be within the block.
 *
 * @throws HpackError on EOS in the string, on padding of more than seven bits, or that is not the first bits of EOS
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-5.2
 */
export function readHuffman(cursor: Cursor, length: number): string {
  const { octets } = cursor;
  const end = cursor.position + length;
  // The shortest code has five bits.
  const most = Math.floor((length * 8) / 5);
  const out = most <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(most);
  let written = 0;
  let bits = 0;
  let count = 0;
  let table = 0;
  for (let position = cursor.position; position < end; position++) {
    bits = ((bits << 8) | (octets[position] as number)) & 0xffff;
    count += 8;
    while (count >= 8) {
      const entry = TABLES[table + ((bits >>> (count - 8)) & 0xff)] as number;
      if (entry >= CONTINUES) {
        table = entry & ~CONTINUES;
        count -= 8;
        continue;
      }
      if ((entry & 0x1ff) === EOS) throw new HpackError('a string holds EOS');
      out[written++] = entry;
      table = 0;
      count -= entry >>> 9;
    }
  }
  cursor.position = end;
  // Less than eight bits are left: the end of a symbol, another one, and padding.
  for (;;) {
    const entry = TABLES[table + ((bits << (8 - count)) & 0xff)] as number;
    if (entry >= CONTINUES || entry >>> 9 > count) break;
    if ((entry & 0x1ff) === EOS) throw new HpackError('a string holds EOS');
    out[written++] = entry;
    table = 0;
    count -= entry >>> 9;
  }
  if (table !== 0) throw new HpackError('the padding of a string is too long');
  assertPadding(bits, count);
  return out.toString('latin1', 0, written);
}

/** @see https://www.rfc-editor.org/rfc/rfc7541#section-5.2 */
function assertPadding(bits: number, count: number): void {
  const ones = (1 << count) - 1;
  if ((bits & ones) !== ones) throw new HpackError('the padding of a string is not made of ones');
}

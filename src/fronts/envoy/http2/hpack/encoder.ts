import { type HeaderField } from './header-field.js';
import { MAX_INTEGER_OCTETS, writeInteger } from './integer.js';
import { staticFieldIndex, staticNameIndex } from './static-table.js';
import { writeString } from './string-literal.js';

/** The first bits of each representation that is written. */
const INDEXED = { pattern: 0x80, prefixMask: 0x7f };
const WITHOUT_INDEXING = { pattern: 0, prefixMask: 0x0f };

/**
 * Encodes a field block without a dynamic table: static indices, and literals that are not added to the peer's table.
 * It keeps no state, so a block may be encoded once and sent on every connection, and nothing of one answer can come
 * back in another. It announces no table size; the peer's decoder needs none.
 *
 * @param fields latin1; names in lower case, pseudo-header fields first. Neither is checked
 * @throws RangeError on a character that is not latin1
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-6
 */
export function encodeFields(fields: readonly HeaderField[]): Buffer {
  // Three integers per field; a string is never longer than it is without Huffman code.
  const most = fields.reduce(
    (sum, [name, value]) => sum + name.length + value.length + 3 * MAX_INTEGER_OCTETS,
    0,
  );
  const out = Buffer.allocUnsafe(most);
  let position = 0;
  for (const field of fields) position = writeField(out, position, field);
  return out.subarray(0, position);
}

function writeField(out: Buffer, at: number, field: HeaderField): number {
  const [name, value] = field;
  const entry = staticFieldIndex(field);
  if (entry > 0) return writeInteger(out, at, { value: entry, ...INDEXED });
  const nameIndex = staticNameIndex(name);
  let position = writeInteger(out, at, { value: nameIndex, ...WITHOUT_INDEXING });
  if (nameIndex === 0) position = writeString(out, position, name);
  return writeString(out, position, value);
}

import { type Cursor } from './cursor.js';
import { DynamicTable } from './dynamic-table.js';
import { fieldSize, type HeaderField } from './header-field.js';
import { HpackError } from './hpack-error.js';
import { readInteger } from './integer.js';
import { STATIC_ENTRIES, STATIC_TABLE } from './static-table.js';
import { readString } from './string-literal.js';

/** What SETTINGS_HEADER_TABLE_SIZE is until the peer has heard another. */
const DEFAULT_TABLE_BYTES = 4096;

/** Between blocks the cursor holds no chunk of the connection. */
const NOTHING = Buffer.alloc(0);

/** A decoded field block. */
export interface FieldBlock {
  /** In the order of the block; empty where it is too large. */
  readonly fields: readonly HeaderField[];
  /** The list exceeds `maxListBytes`. The dynamic table is in step with the peer's all the same. */
  readonly tooLarge: boolean;
}

/** The decoder of one connection: its dynamic table is a state that all its field blocks share, in their order. */
export interface HpackDecoder {
  /**
   * Decodes one whole field block, the payloads of HEADERS and its CONTINUATION frames. Copies what it keeps: the
   * octets may be overwritten afterwards. Which names, values and pseudo-header fields are allowed is not checked.
   *
   * @param start the first octet of the block
   * @param end the first octet past it
   * @throws HpackError a connection error COMPRESSION_ERROR; the decoder must not be used again
   */
  decode(block: Buffer, start: number, end: number): FieldBlock;
}

/** The bounds of a decoder. */
export interface HpackBounds {
  /** The SETTINGS_HEADER_TABLE_SIZE that the peer is told, in octets; 4096 or more, since the peer starts with that. */
  maxTableBytes: number;
  /** The SETTINGS_MAX_HEADER_LIST_SIZE that the peer is told, in octets. */
  maxListBytes: number;
}

/**
 * @returns a decoder with an empty dynamic table
 * @throws RangeError where maxTableBytes is less than 4096
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-3
 */
export function createHpackDecoder(bounds: HpackBounds): HpackDecoder {
  if (bounds.maxTableBytes < DEFAULT_TABLE_BYTES) {
    throw new RangeError('a peer may fill a table of 4096 octets before it hears of a smaller one');
  }
  return new FieldBlockDecoder(bounds);
}

class FieldBlockDecoder implements HpackDecoder {
  private readonly table = new DynamicTable(DEFAULT_TABLE_BYTES);
  private readonly cursor: Cursor = { octets: NOTHING, position: 0, end: 0 };

  constructor(private readonly bounds: HpackBounds) {}

  decode(block: Buffer, start: number, end: number): FieldBlock {
    const { cursor } = this;
    cursor.octets = block;
    cursor.position = start;
    cursor.end = end;
    try {
      this.readSizeUpdates();
      return this.readFields();
    } finally {
      cursor.octets = NOTHING;
    }
  }

  private readFields(): FieldBlock {
    const { cursor } = this;
    const fields: HeaderField[] = [];
    let room = this.bounds.maxListBytes;
    while (cursor.position < cursor.end) {
      const field = this.readField();
      room -= fieldSize(field);
      // One octet of a block may stand for a field of the table's size: past the bound nothing is collected.
      if (room >= 0) fields.push(field);
    }
    return room >= 0 ? { fields, tooLarge: false } : { fields: [], tooLarge: true };
  }

  /**
   * Size updates are allowed at the beginning of a block only, and never above what the peer was told.
   *
   * @see https://www.rfc-editor.org/rfc/rfc7541#section-6.3
   */
  private readSizeUpdates(): void {
    const { cursor } = this;
    while (cursor.position < cursor.end && isSizeUpdate(cursor.octets[cursor.position] as number)) {
      const size = readInteger(cursor, 0x1f);
      if (size > this.bounds.maxTableBytes) throw new HpackError('a table size update is above the limit');
      this.table.resize(size);
    }
  }

  /** @see https://www.rfc-editor.org/rfc/rfc7541#section-6 */
  private readField(): HeaderField {
    const { cursor } = this;
    const first = cursor.octets[cursor.position] as number;
    // 1.......: an indexed field
    if (first >= 0x80) return this.entryAt(readInteger(cursor, 0x7f));
    // 01......: a literal that is added to the table
    if (first >= 0x40) {
      const field = this.readLiteral(0x3f);
      this.table.add(field);
      return field;
    }
    if (isSizeUpdate(first)) throw new HpackError('a table size update follows a field');
    // 0000.... and 0001....: a literal without indexing, or never to be indexed
    return this.readLiteral(0x0f);
  }

  private readLiteral(prefixMask: number): HeaderField {
    const index = readInteger(this.cursor, prefixMask);
    const name = index === 0 ? readString(this.cursor) : this.entryAt(index)[0];
    return [name, readString(this.cursor)];
  }

  /** @see https://www.rfc-editor.org/rfc/rfc7541#section-2.3.3 */
  private entryAt(index: number): HeaderField {
    if (index === 0) throw new HpackError('index 0');
    const entry = index <= STATIC_ENTRIES ? STATIC_TABLE[index] : this.table.at(index - STATIC_ENTRIES - 1);
    if (entry === undefined) throw new HpackError('an index past the table');
    return entry;
  }
}

/** @returns whether an octet begins 001..... */
function isSizeUpdate(octet: number): boolean {
  return (octet & 0xe0) === 0x20;
}

/**
 * A forward-only reader of protobuf wire format over one buffer. Every length is checked against what is left, so a
 * message with a wrong length throws, and nothing is read twice.
 *
 * @see https://protobuf.dev/programming-guides/encoding/ the wire format
 */

/** The bytes are not a protobuf message. Carries no stack: it is expected input, and becomes a 400. */
export class WireError {
  constructor(readonly message: string) {}
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Most text that Envoy sends is one-byte text; the regular expression engine checks it faster than a loop. */
// eslint-disable-next-line no-control-regex -- the whole ASCII range is meant
const ASCII = /^[\x00-\x7f]*$/;

/** Reads fields one after the other; `end` moves in and out with nested messages. */
export class WireReader {
  /** Where the field passed over last begins and ends. */
  spanStart = 0;
  spanEnd = 0;
  private position = 0;
  private end: number;
  /** The whole message as one-byte text: a field's text is then a slice, not a native call. */
  private readonly oneByte: string;

  constructor(private readonly bytes: Buffer) {
    this.end = bytes.length;
    this.oneByte = bytes.toString('latin1');
  }

  /** @returns true while the current message has more fields */
  hasMore(): boolean {
    return this.position < this.end;
  }

  /** @returns the next field's number shifted left by three, with its wire type in the low bits */
  tag(): number {
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw new WireError('field number 0');
    return tag;
  }

  /** @returns a varint; bits above the 32nd are read and dropped, as protobuf says */
  uint32(): number {
    const { bytes, end } = this;
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) throw new WireError('truncated varint');
      const byte = bytes[this.position++] as number;
      if (shift < 35) result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
    throw new WireError('varint of more than ten bytes');
  }

  /**
   * Enters a length-delimited field.
   *
   * @returns the end of the enclosing message, to be given to `leave`
   */
  enter(): number {
    const length = this.uint32();
    if (length > this.end - this.position) throw new WireError('length beyond the message');
    const outer = this.end;
    this.end = this.position + length;
    return outer;
  }

  /** Leaves the message entered last, whatever is left of it. */
  leave(outer: number): void {
    this.position = this.end;
    this.end = outer;
  }

  /**
   * Text, decoded as UTF-8.
   *
   * @returns the text; undefined when the bytes are not UTF-8, which the caller has to refuse
   */
  text(): string | undefined {
    this.passOver();
    return this.textAt(this.spanStart, this.spanEnd);
  }

  /** Passes over a length-delimited field and notes where it was, in `spanStart` and `spanEnd`, for `textAt`. */
  passOver(): void {
    const length = this.uint32();
    this.spanStart = this.position;
    this.advance(length);
    this.spanEnd = this.position;
  }

  /**
   * The text of a field that was passed over: most are never looked at.
   *
   * @returns undefined when the bytes are not UTF-8
   */
  textAt(start: number, end: number): string | undefined {
    const value = this.oneByte.slice(start, end);
    return ASCII.test(value) ? value : this.decodeUtf8(start, end);
  }

  /** The bytes of a field that was passed over, a character each. */
  oneByteAt(start: number, end: number): string {
    return this.oneByte.slice(start, end);
  }

  /** Passes over a field whose tag was just read. Groups are refused: nothing in this interface has them. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.uint32();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.passOver();
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw new WireError('unknown wire type');
    }
  }

  private advance(count: number): void {
    if (count > this.end - this.position) throw new WireError('truncated field');
    this.position += count;
  }

  private decodeUtf8(start: number, stop: number): string | undefined {
    try {
      return UTF8.decode(this.bytes.subarray(start, stop));
    } catch {
      return undefined;
    }
  }
}

/**
 * Builds protobuf messages from their end to their beginning: a nested message is written before its length is, so no
 * length has to be known beforehand, and nothing is copied from buffer to buffer. Callers must write backwards
 * as well: the last field first, and the last of a list first.
 *
 * @see https://protobuf.dev/programming-guides/encoding/ the wire format
 */

const INITIAL_BYTES = 4096;
/** Longer texts are written by a native call, shorter ones are faster here. */
const SHORT_TEXT = 48;

/** Writes one message at a time. */
export class MessageWriter {
  private buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  /** Where the last byte was written; what is before it is free. */
  private at = this.buffer.length;

  /** @returns how much is written: give it to `endMessage` where the nested message begins, that is when it is done */
  mark(): number {
    return this.buffer.length - this.at;
  }

  /** Closes a nested message that began at the mark: its length and tag. */
  endMessage(field: number, mark: number): void {
    this.varint(this.mark() - mark);
    this.varint((field << 3) | 2);
  }

  /** Bytes that are encoded already, tag included. */
  encoded(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.at -= bytes.length;
    this.buffer.set(bytes, this.at);
  }

  /** A text field. */
  text(field: number, value: string): void {
    const mark = this.mark();
    if (value.length > SHORT_TEXT || !this.shortAscii(value)) this.utf8(value);
    this.endMessage(field, mark);
  }

  /** A varint field of a non-negative 32-bit value; always written, zero too. */
  uint32(field: number, value: number): void {
    this.varint(value);
    this.varint(field << 3);
  }

  /** A double field. */
  double(field: number, value: number): void {
    this.reserve(8);
    this.at -= 8;
    this.buffer.writeDoubleLE(value, this.at);
    this.varint((field << 3) | 1);
  }

  /** @returns a copy of what was written, for one use; the writer is empty again */
  finish(): Buffer {
    const message = Buffer.from(this.buffer.subarray(this.at));
    this.at = this.buffer.length;
    return message;
  }

  /** @returns a copy in memory of its own: one that is kept must not hold the pool that others share with it */
  finishToKeep(): Buffer {
    const message = Buffer.allocUnsafeSlow(this.mark());
    message.set(this.buffer.subarray(this.at));
    this.at = this.buffer.length;
    return message;
  }

  /** Discards what was written, after a message was abandoned. */
  reset(): void {
    this.at = this.buffer.length;
  }

  /** @returns false, with nothing written, when it is not ASCII */
  private shortAscii(value: string): boolean {
    const { length } = value;
    this.reserve(length);
    const start = this.at - length;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      this.buffer[start + index] = code;
    }
    this.at = start;
    return true;
  }

  private utf8(value: string): void {
    const length = Buffer.byteLength(value);
    this.reserve(length);
    this.at -= length;
    this.buffer.write(value, this.at, length, 'utf8');
  }

  private varint(value: number): void {
    this.reserve(5);
    const length = varintLength(value);
    this.at -= length;
    let rest = value >>> 0;
    for (let index = 0; index < length - 1; index++) {
      this.buffer[this.at + index] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.at + length - 1] = rest;
  }

  private reserve(count: number): void {
    if (this.at >= count) return;
    const written = this.mark();
    const larger = Buffer.allocUnsafe((this.buffer.length + count) * 2);
    larger.set(this.buffer.subarray(this.at), larger.length - written);
    this.buffer = larger;
    this.at = larger.length - written;
  }
}

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Builds one message, for parts that are encoded once. */
export function encodeOnce(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter();
  write(writer);
  return writer.finishToKeep();
}

/** A list as it has to be written. */
export function* backwards<T>(list: readonly T[]): Generator<T> {
  for (let index = list.length - 1; index >= 0; index--) yield list[index] as T;
}

/**
 * Builds protobuf messages. Answers are short, and most of their parts never change: a constant part is encoded once
 * (`encode…` functions return Buffers), and an answer is the concatenation of such parts.
 */

/** A length-delimited field (wire type 2): tag, length, content. */
export function encodeBytes(field: number, content: Uint8Array): Buffer {
  const header = encodeLengthHeader(field, content.length);
  const out = Buffer.allocUnsafe(header.length + content.length);
  out.set(header, 0);
  out.set(content, header.length);
  return out;
}

/** A text field. */
export function encodeText(field: number, text: string): Buffer {
  return encodeBytes(field, Buffer.from(text, 'utf8'));
}

/** A varint field (wire type 0) of a non-negative 32-bit value; always written, zero too. */
export function encodeUint32(field: number, value: number): Buffer {
  return Buffer.from([...varint((field << 3) | 0), ...varint(value)]);
}

/** A double field (wire type 1). */
export function encodeDouble(field: number, value: number): Buffer {
  const out = Buffer.allocUnsafe(9);
  out[0] = (field << 3) | 1;
  out.writeDoubleLE(value, 1);
  return out;
}

/** A nested message from its encoded fields. */
export function encodeMessage(field: number, parts: readonly Uint8Array[]): Buffer {
  return encodeBytes(field, Buffer.concat(parts));
}

function encodeLengthHeader(field: number, length: number): number[] {
  return [...varint((field << 3) | 2), ...varint(length)];
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.push(rest);
  return out;
}

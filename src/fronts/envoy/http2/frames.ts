/** The layout of frames. @see https://www.rfc-editor.org/rfc/rfc9113#section-4.1 */

/** Frame types. @see https://www.rfc-editor.org/rfc/rfc9113#section-6 */
export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

/** Flags; ACK and END_STREAM are the same bit in different frames. */
export const Flag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

/** Bytes of a frame's header. */
export const FRAME_HEADER_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE of both sides unless they say otherwise; this side never does. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
/** SETTINGS_INITIAL_WINDOW_SIZE, and the window of a connection, before anything is said. */
export const DEFAULT_WINDOW = 65_535;
/** The largest window, and the largest stream number. */
export const MAX_31_BITS = 0x7fff_ffff;

/** What begins a frame. */
export interface FrameHead {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

/** Writes the nine bytes. @returns the place after them */
export function writeFrameHead(
  out: Buffer,
  at: number,
  { length, type, flags, streamId }: FrameHead,
): number {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  return writeUint32(out, at + 5, streamId);
}

/** Big-endian. @returns the place after it */
export function writeUint32(out: Buffer, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}

/** Big-endian, all 32 bits. */
export function readUint32(bytes: Buffer, at: number): number {
  return readUint31(bytes, at) + ((bytes[at] as number) >= 0x80 ? 0x8000_0000 : 0);
}

/** Big-endian without the first bit, which is reserved where numbers have 31 bits. */
export function readUint31(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) & 0x7f) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

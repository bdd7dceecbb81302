import { ConnectionError, ErrorCode } from './errors.js';
import { DEFAULT_MAX_FRAME_BYTES, DEFAULT_WINDOW, MAX_31_BITS, readUint32, writeUint32 } from './frames.js';

/** Numbers of settings. @see https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2 */
const Setting = {
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

const ENTRY_BYTES = 6;
const LARGEST_MAX_FRAME_BYTES = 0xff_ffff;

/**
 * What the peer's SETTINGS ask of this side. SETTINGS_HEADER_TABLE_SIZE asks nothing: field blocks of this side use no
 * dynamic table. Push and its limits are not used, and header lists here are short.
 */
export class PeerSettings {
  /** What a new stream may be sent. */
  initialWindow = DEFAULT_WINDOW;
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;

  /** Takes over one frame, in the order of its entries. @throws ConnectionError for values out of their bounds */
  apply(bytes: Buffer, start: number, length: number): void {
    if (length % ENTRY_BYTES !== 0)
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, 'SETTINGS with a broken entry');
    for (let at = start; at < start + length; at += ENTRY_BYTES) {
      const number = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      this.set(number, readUint32(bytes, at + 2));
    }
  }

  private set(number: number, value: number): void {
    if (number === Setting.ENABLE_PUSH) {
      if (value > 1) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'SETTINGS_ENABLE_PUSH');
    } else if (number === Setting.INITIAL_WINDOW_SIZE) {
      if (value > MAX_31_BITS)
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'SETTINGS_INITIAL_WINDOW_SIZE');
      this.initialWindow = value;
    } else if (number === Setting.MAX_FRAME_SIZE) {
      if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES)
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'SETTINGS_MAX_FRAME_SIZE');
      this.maxFrameBytes = value;
    }
  }
}

/** What this side asks of its peers, as the payload of SETTINGS. */
export function ownSettings(bounds: {
  readonly streams: number;
  readonly streamWindow: number;
  readonly headerListBytes: number;
}): Buffer {
  const entries = [
    [Setting.MAX_CONCURRENT_STREAMS, bounds.streams],
    [Setting.INITIAL_WINDOW_SIZE, bounds.streamWindow],
    [Setting.MAX_HEADER_LIST_SIZE, bounds.headerListBytes],
  ] as const;
  const payload = Buffer.alloc(entries.length * ENTRY_BYTES);
  entries.forEach(([number, value], index) => {
    payload[index * ENTRY_BYTES + 1] = number;
    writeUint32(payload, index * ENTRY_BYTES + 2, value);
  });
  return payload;
}

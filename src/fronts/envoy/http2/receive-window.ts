import { ConnectionError, ErrorCode } from './errors.js';

/**
 * What the peer may send on the connection. It hears of more when half is used up: bytes are given back as they are read,
 * because what waits is bounded elsewhere, and one slow stream must not hold up the others.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-5.2
 */
export class ReceiveWindow {
  private left: number;

  constructor(private readonly size: number) {
    this.left = size;
  }

  /**
   * @returns what the peer is to be granted now; 0: nothing yet
   * @throws ConnectionError FLOW_CONTROL_ERROR where it sent more than it may
   */
  take(bytes: number): number {
    this.left -= bytes;
    if (this.left < 0)
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the connection may send');
    if (this.left * 2 > this.size) return 0;
    const granted = this.size - this.left;
    this.left = this.size;
    return granted;
  }
}

import { ConnectionError, ErrorCode } from './errors.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The bytes that begin every connection of a client. @see https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
export class Preface {
  private matched = 0;

  /** Did all of it arrive? */
  get isComplete(): boolean {
    return this.matched === PREFACE.length;
  }

  /**
   * @returns where the frames begin in this chunk
   * @throws ConnectionError PROTOCOL_ERROR at the first byte that differs
   */
  read(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && !this.isComplete) {
      if (chunk[at++] !== PREFACE[this.matched++])
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'not the preface of HTTP/2');
    }
    return at;
  }
}

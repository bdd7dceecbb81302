/** Where a decoder stands in a field block. One object per decoder, so that reading a block allocates nothing for it. */
export interface Cursor {
  octets: Buffer;
  position: number;
  /** The first position past the block. */
  end: number;
}

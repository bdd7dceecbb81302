/** The symbol that no string may hold; its first bits are the padding. */
export const EOS = 256;

/** How many bits the code of each symbol has, in the order of symbols, EOS last. */
const CODE_LENGTHS = Uint8Array.from(
  [
    '13,23,28,28,28,28,28,28,28,24,30,28,28,30,28,28,28,28,28,28,28,28,30,28,28,28,28,28,28,28,28,28',
    '6,10,10,12,13,6,8,11,10,10,8,11,8,6,6,6,5,5,5,6,6,6,6,6,6,6,7,8,15,6,12,10',
    '13,6,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,8,7,8,13,19,13,14,6',
    '15,5,6,5,6,5,6,6,6,5,7,7,6,6,6,5,6,7,6,5,5,6,7,7,7,7,7,15,11,14,13,28',
    '20,22,20,20,22,22,22,23,22,23,23,23,23,23,24,23,24,24,22,23,24,23,23,23,23,21,22,23,22,23,23,24',
    '22,21,20,22,22,23,23,21,23,22,22,24,21,22,23,23,21,21,22,21,23,22,23,23,20,22,22,22,23,22,22,23',
    '26,26,20,19,22,23,22,25,26,26,26,27,27,26,24,25,19,21,26,27,27,26,27,24,21,21,26,26,28,27,27,27',
    '20,24,20,21,22,21,21,23,22,22,25,25,24,24,26,23,26,27,26,26,27,27,27,27,27,28,27,27,27,27,27,26',
    '30',
  ].flatMap((row) => row.split(',').map(Number)),
);

/** The code of a symbol: its bits, right-aligned, and how many they are. */
export interface HuffmanCode {
  bits: number;
  length: number;
}

/**
 * The codes of all symbols. The code of RFC 7541 is canonical: codes of one length are consecutive in the order of their
 * symbols, and each length continues where the shorter one ended. So the lengths alone say it all.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7541#appendix-B
 */
export const HUFFMAN_CODES: readonly HuffmanCode[] = assignCodes();

function assignCodes(): HuffmanCode[] {
  const codes = Array.from(CODE_LENGTHS, (length) => ({ bits: 0, length }));
  const byLength = [...codes.keys()].sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let bits = 0;
  let previous = lengthOf(byLength[0] as number);
  for (const symbol of byLength) {
    bits <<= lengthOf(symbol) - previous;
    previous = lengthOf(symbol);
    codes[symbol] = { bits, length: previous };
    bits++;
  }
  return codes;
}

function lengthOf(symbol: number): number {
  return CODE_LENGTHS[symbol] as number;
}

// @ts-check
/**
 * A small generator of numbers that a seed repeats exactly (mulberry32), so that a failing run can be run again. Not for
 * secrets.
 *
 * @param {number} seed
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  /** @returns {number} from 0 to 1, 1 excluded */
  function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }
  /**
   * @param {number} limit
   * @returns {number} a whole number from 0 to limit, limit excluded
   */
  function below(limit) {
    return Math.floor(next() * limit);
  }
  return {
    next,
    below,
    /**
     * @template T
     * @param {readonly T[]} items not empty
     * @returns {T}
     */
    pick: (items) => /** @type {T} */ (items[below(items.length)]),
    /**
     * @param {number} length
     * @returns {Buffer}
     */
    octets: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

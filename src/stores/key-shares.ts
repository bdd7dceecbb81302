import { hash } from 'node:crypto';

const ROWS = 3;
const COLUMNS = 4096;
/** A life is divided into about so many slices, at the end of which entries stop counting. */
const SLICES = 16;
/** Digits of a column in the hash. */
const COLUMN_DIGITS = 3;

/** A key's counters, one per row. */
export type KeyCells = Uint32Array;

/**
 * Counts the live entries of every key, in fixed space: each row of counters is indexed by another part of the key's
 * hash, and the smallest of a key's counters is never below its true count. It is above only where other busy keys share
 * all of its counters, and by entries that ended within the last slice. The seed is secret, so that no client can choose
 * keys that share.
 */
export class KeyShares {
  private readonly counts = new Uint32Array(ROWS * COLUMNS);
  /** By the second in which it ends. */
  private readonly slices = new Map<number, Uint32Array>();
  private sliceS = 1;
  private checkedAtS = 0;

  /**
   * @param maxPerKey live entries that one key may have
   * @param seed random, of this process alone
   */
  constructor(
    private readonly maxPerKey: number,
    private readonly seed: string,
  ) {}

  /** Where a key is counted. @param key an outsider may choose it */
  cellsOf(key: string): KeyCells {
    const digest = hash('sha256', `${this.seed}${key}`, 'hex');
    const cells = new Uint32Array(ROWS);
    for (let row = 0; row < ROWS; row++) {
      const at = row * COLUMN_DIGITS;
      cells[row] = row * COLUMNS + Number.parseInt(digest.slice(at, at + COLUMN_DIGITS), 16);
    }
    return cells;
  }

  /** Has the key as many live entries as it may have? @param nowS seconds since the epoch */
  isExhausted(cells: KeyCells, nowS: number): boolean {
    this.forgetEnded(nowS);
    let count = Infinity;
    for (const cell of cells) count = Math.min(count, this.counts[cell] ?? 0);
    return count >= this.maxPerKey;
  }

  /** Counts one more entry. @param endS the last second in which it is live */
  add(cells: KeyCells, { nowS, endS }: { readonly nowS: number; readonly endS: number }): void {
    while ((endS - nowS) / this.sliceS > SLICES) this.sliceS *= 2;
    const slice = this.sliceOf(Math.ceil(endS / this.sliceS) * this.sliceS);
    for (const cell of cells) {
      this.counts[cell] = (this.counts[cell] ?? 0) + 1;
      slice[cell] = (slice[cell] ?? 0) + 1;
    }
  }

  private sliceOf(endS: number): Uint32Array {
    let slice = this.slices.get(endS);
    if (slice === undefined) {
      slice = new Uint32Array(ROWS * COLUMNS);
      this.slices.set(endS, slice);
    }
    return slice;
  }

  /** At most once per second. */
  private forgetEnded(nowS: number): void {
    if (nowS === this.checkedAtS) return;
    this.checkedAtS = nowS;
    for (const [endS, slice] of this.slices) {
      if (endS >= nowS) continue;
      this.slices.delete(endS);
      for (let cell = 0; cell < slice.length; cell++) {
        this.counts[cell] = (this.counts[cell] ?? 0) - (slice[cell] ?? 0);
      }
    }
  }
}

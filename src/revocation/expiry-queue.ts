/** One place in the queue holds what ends within so many seconds. */
const SPAN_S = 10;
/** A clock that jumps ahead by years is followed in steps, not in one. */
const MAX_STEPS = 10_000;

/**
 * Says what has ended without looking at what has not: items lie in buckets by the time of their end, and only buckets
 * whose time is past are opened.
 */
export class ExpiryQueue<Item> {
  readonly #buckets = new Map<number, Set<Item>>();
  #next: number;

  /** @param nowS seconds since the epoch */
  constructor(nowS: number) {
    this.#next = bucketOf(nowS);
  }

  /** @param endsAtS seconds since the epoch; what has ended already is taken next */
  add(item: Item, endsAtS: number): void {
    const at = this.#placeOf(endsAtS);
    const bucket = this.#buckets.get(at);
    if (bucket === undefined) this.#buckets.set(at, new Set([item]));
    else bucket.add(item);
  }

  /** @param endsAtS as it was added */
  remove(item: Item, endsAtS: number): void {
    // What ended before the queue's time began was put into the bucket that was the next one then.
    for (const at of [bucketOf(endsAtS), this.#next]) {
      const bucket = this.#buckets.get(at);
      if (bucket?.delete(item) !== true) continue;
      if (bucket.size === 0) this.#buckets.delete(at);
      return;
    }
  }

  /**
   * Takes out what has ended, up to a number.
   *
   * @param nowS seconds since the epoch
   * @param max items at most; the rest is there at the next call
   */
  takeEnded(nowS: number, max: number): Item[] {
    const taken: Item[] = [];
    const today = bucketOf(nowS);
    for (let step = 0; step < MAX_STEPS && this.#next < today; step++) {
      const bucket = this.#buckets.get(this.#next) ?? new Set<Item>();
      for (const item of bucket) {
        if (taken.length >= max) return taken;
        bucket.delete(item);
        taken.push(item);
      }
      this.#buckets.delete(this.#next);
      this.#next++;
    }
    return taken;
  }

  #placeOf(endsAtS: number): number {
    return Math.max(bucketOf(endsAtS), this.#next);
  }
}

function bucketOf(timeS: number): number {
  return Math.floor(timeS / SPAN_S);
}

import { fieldSize, type HeaderField } from './header-field.js';

/**
 * The dynamic table: the fields added last, first in first out, bounded in octets. A ring, so that adding and evicting
 * move nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-2.3.2
 */
export class DynamicTable {
  /** How many entries there are. */
  count = 0;
  /** The octets they take. */
  private size = 0;
  private newest = 0;
  private ring: (HeaderField | undefined)[] = new Array<HeaderField | undefined>(64);

  constructor(private maxSize: number) {}

  /** @returns the entry at `index`, where 0 is the one added last; undefined past the oldest */
  at(index: number): HeaderField | undefined {
    if (index >= this.count) return undefined;
    return this.ring[(this.newest - index) & (this.ring.length - 1)];
  }

  /**
   * Adds a field, and evicts the oldest until it fits. One larger than the whole table empties it; that is no error.
   *
   * @see https://www.rfc-editor.org/rfc/rfc7541#section-4.4
   */
  add(field: HeaderField): void {
    const size = fieldSize(field);
    this.evictTo(this.maxSize - size);
    if (size > this.maxSize) return;
    if (this.count === this.ring.length) this.grow();
    this.newest = (this.newest + 1) & (this.ring.length - 1);
    this.ring[this.newest] = field;
    this.count++;
    this.size += size;
  }

  /** Sets what the table may hold from now on, and evicts what is over it. */
  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.evictTo(maxSize);
  }

  private evictTo(limit: number): void {
    while (this.size > limit && this.count > 0) {
      const oldest = (this.newest - this.count + 1) & (this.ring.length - 1);
      this.size -= fieldSize(this.ring[oldest] as HeaderField);
      this.ring[oldest] = undefined;
      this.count--;
    }
  }

  /** Twice the room, with the entries in their order. An entry takes 32 octets at least, so maxSize bounds this. */
  private grow(): void {
    const entries = Array.from({ length: this.count }, (_, index) => this.at(this.count - 1 - index));
    const length = this.ring.length * 2;
    this.ring = entries.concat(new Array<HeaderField | undefined>(length - entries.length));
    this.newest = entries.length - 1;
  }
}

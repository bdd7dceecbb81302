/** A sum of bytes that must not pass a bound; one of a connection may be part of one of the process. */
export class ByteBudget {
  private taken = 0;

  constructor(
    private readonly limit: number,
    private readonly whole?: ByteBudget,
  ) {}

  /** How much is taken. */
  get used(): number {
    return this.taken;
  }

  /** @returns false, with nothing taken, where it would pass the bound here or in the whole */
  take(bytes: number): boolean {
    if (this.taken + bytes > this.limit || this.whole?.take(bytes) === false) return false;
    this.taken += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.taken -= bytes;
    this.whole?.give(bytes);
  }

  /** Gives back everything: the connection is gone. */
  giveAll(): void {
    this.give(this.taken);
  }
}

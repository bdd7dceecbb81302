/** Bytes of answers that no peer takes, of all connections together. */
export class QueuedBytes {
  private readonly each = new Map<object, number>();
  private sum = 0;

  constructor(private readonly limit: number) {}

  /** Is the bound of the process passed? */
  get isOver(): boolean {
    return this.sum > this.limit;
  }

  /** @param bytes of one connection, now */
  set(connection: object, bytes: number): void {
    const before = this.each.get(connection) ?? 0;
    if (before === bytes) return;
    this.sum += bytes - before;
    if (bytes === 0) this.each.delete(connection);
    else this.each.set(connection, bytes);
  }
}

/** A condition that cannot be used. The message is for the person who wrote it. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';

  /**
   * @param message what is wrong, in one line
   * @param offset where, in characters from the start of the expression; undefined: everywhere
   */
  constructor(
    message: string,
    readonly offset?: number,
  ) {
    super(message);
  }
}

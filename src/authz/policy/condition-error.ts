/** A condition that is not used. The message is for the person who wrote it. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
}

import { ConditionError } from '../../authz/policy/condition-error.js';
import { compileCondition } from '../../authz/policy/condition.js';

/**
 * Says why a `when` does not compile.
 *
 * @returns one line with the place in the expression, which may hold words of the source; undefined where it compiles
 */
export function conditionProblem(source: string): string | undefined {
  try {
    compileCondition(source);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it cannot be read';
    const offset = error instanceof ConditionError ? error.offset : undefined;
    const text = message.split('\n', 1)[0] ?? message;
    return offset === undefined ? text : `${text}, at ${placeOf(source, offset)} of the expression`;
  }
}

function placeOf(source: string, offset: number): string {
  const before = source.slice(0, offset).split('\n');
  const column = `column ${(before.at(-1)?.length ?? 0) + 1}`;
  return before.length === 1 ? column : `line ${before.length}, ${column}`;
}

import { compileCondition } from '../../authz/policy/condition.js';

/**
 * Says why a `when` does not compile.
 *
 * @returns one line, which may hold words of the source; undefined where it compiles
 */
export function conditionProblem(source: string): string | undefined {
  try {
    compileCondition(source);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it can not be read';
    return message.split('\n', 1)[0] ?? message;
  }
}

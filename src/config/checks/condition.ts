import { Environment } from '@marcbachmann/cel-js';

/**
 * Says why a `when` does not compile.
 *
 * @returns one line; undefined where it compiles
 */
export function conditionProblem(source: string): string | undefined {
  try {
    const compiled = environment().parse(source).check();
    return compiled.valid ? undefined : firstLine(compiled.error);
  } catch (error) {
    return firstLine(error);
  }
}

function environment(): Environment {
  return new Environment({ unlistedVariablesAreDyn: false })
    .registerVariable('claims', 'dyn')
    .registerVariable('request', 'dyn')
    .registerVariable('token', 'dyn');
}

/** What follows the first line is the source, which may hold anything. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : 'it can not be read';
  return (message.split('\n')[0] ?? '').slice(0, 200);
}

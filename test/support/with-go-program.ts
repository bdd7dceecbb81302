import { describe, test } from '@jest/globals';
import { type GoProgramName, isGoProgramWanted } from './provision-go.mjs';

const NIGHTLY = 'is nightly: PORTCULLIS_NIGHTLY=1';

/**
 * @param name of the program
 * @param path where it was found
 * @returns `test`; where the program is missing, what marks the test as skipped, or as left for the night
 */
export function testWith(
  name: GoProgramName,
  path: string | undefined,
): (title: string, body: () => unknown, timeoutMs?: number) => void {
  if (path !== undefined) return test as ReturnType<typeof testWith>;
  if (isGoProgramWanted(name)) return test.skip as ReturnType<typeof testWith>;
  return (title) => test.todo(`${title} (${NIGHTLY})`);
}

/** The same for a whole `describe()`. */
export function describeWith(
  name: GoProgramName,
  path: string | undefined,
): (title: string, body: () => void) => void {
  if (path !== undefined) return describe;
  if (isGoProgramWanted(name)) return describe.skip;
  return (title) => describe(title, () => test.todo(`with the real ${name} ${NIGHTLY}`));
}

import { Denial, type DenialCode } from '../../src/authz/denial.js';

/** @returns the code of the Denial that a call throws or rejects with; undefined where it ends well */
export async function denialOf(run: () => unknown): Promise<DenialCode | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof Denial) return error.code;
    throw error;
  }
}

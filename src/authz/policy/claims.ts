/** Claims that must have certain values. */
import { Denial } from '../denial.js';
import type { Requirement } from '../types.js';
import { compileClaimPath, type ClaimReader } from './claim-path.js';

/** What a claim is compared with. Types are strict: the number 1 is not the text "1". */
type ClaimScalar = string | number | boolean;

/** Name of a claim → the value it must have, or the values of which it must have one. */
export type ClaimSpec = Readonly<Record<string, ClaimScalar | readonly ClaimScalar[]>>;

interface ClaimRule {
  readonly requirement: string;
  readonly read: ClaimReader;
  readonly wanted: ReadonlySet<unknown>;
}

/**
 * Compiles a claim requirement: every claim that is named must equal its value, or one of its values; a claim that is
 * a list must contain one of them.
 *
 * @throws Denial claim_mismatch (from the requirement it makes)
 */
export function createClaimRequirement(spec: ClaimSpec): Requirement {
  const rules = Object.entries(spec).map(([name, value]): ClaimRule => {
    const wanted = typeof value === 'object' ? value : [value];
    return { requirement: `claims.${name}`, read: compileClaimPath(name), wanted: new Set<unknown>(wanted) };
  });
  return (_ctx, { claims }) => {
    for (const { requirement, read, wanted: expected } of rules) {
      const found = read(claims);
      if (!isWanted(found, expected)) {
        throw new Denial('claim_mismatch', { mismatch: { requirement, expected, found } });
      }
    }
  };
}

function isWanted(value: unknown, wanted: ReadonlySet<unknown>): boolean {
  return Array.isArray(value) ? value.some((member) => wanted.has(member)) : wanted.has(value);
}

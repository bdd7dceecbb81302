/** A configuration that stands in code instead of in a file. */
import type { ConfigPath, ProblemReport } from './problems.js';

/** Deeper than any configuration, and shallow enough for every recursion over it. A cycle ends here too. */
const MAX_DEPTH = 48;
const MAX_NODES = 500_000;

/**
 * Copies a configuration object into the plain data that the loader reads: mappings without prototype, lists, strings,
 * numbers, booleans, null. Members that are undefined count as absent. Whatever is no plain data is reported under its
 * path, never converted: a Date, a Map or a class may have been meant as something else. Getters run once.
 *
 * @param value of the operator's own code; trusted, but often wrong
 */
export function readConfigObject(value: unknown, report: ProblemReport): unknown {
  let nodes = 0;
  const copy = (part: unknown, path: ConfigPath): unknown => {
    if (++nodes > MAX_NODES || path.length > MAX_DEPTH) {
      report.close([], 'too many or too deeply nested values; does it hold itself?');
      return undefined;
    }
    if (Array.isArray(part)) return part.map((item: unknown, index) => copy(item, [...path, index]));
    if (isPlainObject(part)) return copyMapping(part, path);
    if (part === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof part)) return part;
    report.close(path, 'must be plain data: text, a number, true or false, a list or a mapping');
    return undefined;
  };
  const copyMapping = (mapping: Readonly<Record<string, unknown>>, path: ConfigPath): unknown => {
    const tree = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(mapping)) {
      const at = [...path, key];
      // No name of anything, and the one key that schemas and copies may pass over in silence.
      if (key === '__proto__') report.close(at, 'unknown key');
      else {
        const member = copy(mapping[key], at);
        if (member !== undefined) tree[key] = member;
      }
    }
    return tree;
  };
  return copy(value, []);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm, such as a test runner's, has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

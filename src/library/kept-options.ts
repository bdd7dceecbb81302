import type { CompiledOptions, ProtectOptions } from './protect-options.js';

/** More than any service has handlers. Options that are made for each request would come here. */
const MAX_DISTINCT = 1000;

/**
 * Remembers compiled options by what they say, so that a call per request compiles nothing and grows nothing.
 *
 * @returns compiles; throws Error for too many different options, which must not depend on a request
 */
export function createKeptOptions(
  compile: (options: ProtectOptions) => CompiledOptions,
): (options: ProtectOptions) => CompiledOptions {
  const known = new Map<string, CompiledOptions>();
  return (options) => {
    const key = JSON.stringify(options);
    const present = known.get(key);
    if (present !== undefined) return present;
    if (known.size >= MAX_DISTINCT)
      throw new Error('too many different options; make them once, and not of anything in a request');
    const compiled = compile(options);
    known.set(key, compiled);
    return compiled;
  };
}

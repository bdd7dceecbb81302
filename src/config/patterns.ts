import { parseHostPattern } from '../authz/host.js';
import { parsePathPattern, PathPatternError } from '../authz/path-pattern.js';
import { mustBe, text } from './fields.js';
import { z } from 'zod';

/** A host of a route, as the router reads it. */
export function hostPattern() {
  return text('a host, *. and a suffix, or *', (value) => parseHostPattern(value) !== undefined).meta({
    'x-kind': 'host pattern',
  });
}

const PATH = 'a path that begins with /, of whole segments: a literal, *, {name}, or ** at the end';

/** A path of a route, as the router reads it. */
export function pathPattern() {
  return z
    .string({ error: mustBe(PATH) })
    .superRefine((value, ctx) => {
      const problem = pathPatternProblem(value);
      if (problem !== undefined)
        ctx.addIssue({ code: 'custom', message: `must be ${PATH}; this one ${problem}` });
    })
    .meta({ 'x-kind': 'path pattern' });
}

function pathPatternProblem(pattern: string): string | undefined {
  try {
    parsePathPattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof PathPatternError) return error.message;
    throw error;
  }
}

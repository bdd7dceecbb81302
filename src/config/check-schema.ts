import type { z } from 'zod';
import type { ConfigPath, ProblemReport } from './problems.js';
import { configSchema, type ParsedConfig } from './schema.js';
import { suggest } from './suggestion.js';

type Issue = z.core.$ZodIssue;

/**
 * Checks every key by itself: known, of the right type, within its bounds. Reports all that is wrong.
 *
 * @returns the file with defaults filled in; undefined where anything was wrong
 */
export function checkSchema(tree: unknown, report: ProblemReport): ParsedConfig | undefined {
  return checkAgainst(configSchema, tree, report);
}

/** The same for any part of the schema. @returns the value with defaults filled in; undefined where anything was wrong */
export function checkAgainst<T>(schema: z.ZodType<T>, tree: unknown, report: ProblemReport): T | undefined {
  const result = schema.safeParse(tree, { error: wordingOf });
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue(issue, { report, base: [] });
  return undefined;
}

interface Target {
  readonly report: ProblemReport;
  /** Where the issue's own path begins. */
  readonly base: ConfigPath;
}

function reportIssue(issue: Issue, { report, base }: Target): void {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) report.close([...path, key], unknownKey(key, issue.message.split(' ')));
  } else if (issue.code === 'invalid_union') {
    const inner = furthestBranch(issue.errors);
    if (inner === undefined) report.add(path, issue.message);
    else for (const one of inner) reportIssue(one, { report, base: path });
  } else if (issue.code === 'invalid_key') {
    report.close(path, `is no key for this mapping; it ${issue.issues[0]?.message ?? 'is not allowed'}`);
  } else {
    report.add(path, issue.message);
  }
}

/** Of the forms a value may have, the one that it was meant for: that in which only something inside is wrong. */
function furthestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find(
    (issues) =>
      issues.length > 0 &&
      issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  );
}

/** No key of this file has such characters, and conditions do. */
const EXPRESSION = /[()=<>&|?"']/;

function unknownKey(key: string, known: readonly string[]): string {
  const near = suggest(key, known);
  if (key === '<<') return 'merge keys are not supported; repeat the keys, or use an alias for a whole value';
  if (EXPRESSION.test(key)) return 'unknown key; is it a part of an expression that must be quoted?';
  return near === undefined
    ? `unknown key; known are ${known.join(', ')}`
    : `unknown key; did you mean ${near}?`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** For the few values whose schema has no words of its own. Says nothing of the value itself. */
function wordingOf(issue: z.core.$ZodRawIssue): string {
  const expected =
    issue.code === 'invalid_type' ? (TYPES[issue.expected] ?? issue.expected) : 'something else';
  if (issue.input === undefined) return `is required; it must be ${expected}`;
  return issue.input === null ? `is empty; it must be ${expected}` : `must be ${expected}`;
}

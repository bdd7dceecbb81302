import type { LineCounter, YAMLError } from 'yaml';

/** The parser's codes in words of our own: its messages quote the file, and so could show a secret. */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_INDENT: 'wrong indentation',
  TAB_AS_INDENT: 'tabs cannot indent YAML; use spaces',
  BLOCK_IN_FLOW: 'a comma, bracket or brace is missing before this',
  MISSING_CHAR: 'a quote, comma, colon or bracket is missing',
  UNEXPECTED_TOKEN: 'this does not belong here; is a quote, comma or bracket missing before it?',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; is a colon, comma or quote missing?',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot start here; must the value be quoted?',
  BAD_DQ_ESCAPE: 'an unknown escape in a double-quoted string; use single quotes for a plain backslash',
  BAD_SCALAR_START: 'a value that starts with this character must be quoted',
  BAD_ALIAS: 'a value that starts with * must be quoted; an alias needs a name',
  TAG_RESOLVE_FAILED: 'tags are not supported; only plain YAML 1.2 and JSON',
};
const UNKNOWN = 'this is neither YAML nor JSON';

/** Mistakes that have nothing to do with a value that should have been quoted. */
const NOT_ABOUT_QUOTES = new Set(['BAD_INDENT', 'TAB_AS_INDENT', 'MISSING_CHAR']);
/** A line up to the first wrong character: is it inside the value of `when`? The value starts at the end of the match. */
const BEFORE_CONDITION = /(?:^|[\s,{])when:[ \t]+(?=\S|$)/;

/** A place in the file with what is wrong there. */
export interface SyntaxProblem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/**
 * Explains a file that cannot be parsed. Only the first error counts: the parser loses its way there, so that the
 * following ones say nothing.
 *
 * @param errors of the parser, at least one
 * @param source what was parsed; no part of it gets into the message
 */
export function explainSyntaxError(
  errors: readonly YAMLError[],
  source: { readonly text: string; readonly tokens: readonly unknown[]; readonly lines: LineCounter },
): SyntaxProblem {
  const [first] = [...errors].sort((a, b) => a.pos[0] - b.pos[0]);
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = source.lines.linePos(offset);
    return { line, column: col };
  };
  if (first === undefined) return { line: 1, column: 1, text: UNKNOWN };
  if (first.code === 'BAD_INDENT') {
    const open = unclosedCollection(source.tokens);
    if (open !== undefined)
      return { ...at(open.offset), text: `the ${open.bracket} that opens here is not closed` };
  }
  const condition = NOT_ABOUT_QUOTES.has(first.code)
    ? undefined
    : startOfCondition(source.text, first.pos[0]);
  if (condition !== undefined)
    return {
      ...at(condition),
      text: "the expression of when must be quoted here: enclose all of it in single quotes, as in when: '…'",
    };
  return { ...at(first.pos[0]), text: SYNTAX[first.code] ?? UNKNOWN };
}

function startOfCondition(text: string, errorAt: number): number | undefined {
  const start = text.lastIndexOf('\n', errorAt - 1) + 1;
  const match = BEFORE_CONDITION.exec(text.slice(start, errorAt));
  return match === null ? undefined : start + match.index + match[0].length;
}

interface Collection {
  readonly type: 'flow-collection';
  readonly offset: number;
  readonly start: { readonly type: string; readonly offset: number };
  readonly end: readonly { readonly type: string }[];
}

/** @returns the innermost list or mapping in brackets that has no closing bracket */
function unclosedCollection(
  tokens: readonly unknown[],
): { readonly offset: number; readonly bracket: string } | undefined {
  let found: Collection | undefined;
  const waiting = [...tokens];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (isUnclosed(next) && next.start.offset > (found?.start.offset ?? -1)) found = next;
    const { items, key, value } = next as { items?: unknown[]; key?: unknown; value?: unknown };
    waiting.push(...(items ?? []), key, value);
  }
  if (found === undefined) return undefined;
  return { offset: found.start.offset, bracket: found.start.type === 'flow-map-start' ? '{' : '[' };
}

function isUnclosed(token: object): token is Collection {
  const { type, start, end } = token as Partial<Collection>;
  if (type !== 'flow-collection' || start === undefined) return false;
  const closing = start.type === 'flow-map-start' ? 'flow-map-end' : 'flow-seq-end';
  return end?.some((one) => one.type === closing) !== true;
}

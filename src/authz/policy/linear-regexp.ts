/**
 * Regular expressions whose matching time grows with the text and with nothing else (RE2's syntax, as CEL wants it):
 * a pattern that backtracks would let whoever chooses the text stop the whole gate.
 */
import { RE2JS } from 're2js';

/** Longest pattern, characters. */
const MAX_PATTERN_LENGTH = 256;
/** Longer texts are refused: linear time is still time. */
const MAX_TEXT_LENGTH = 1024;
/** Compiled patterns; all of them are from the configuration. */
const MAX_PATTERNS = 1000;

const compiled = new Map<string, RE2JS>();

/** @throws Error for a pattern that is not RE2, or too long */
export function compilePattern(pattern: string): void {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new Error(`a pattern has at most ${MAX_PATTERN_LENGTH} characters`);
  patternOf(pattern);
}

/**
 * @param pattern for which compilePattern() did not throw; matches anywhere in the text unless it is anchored
 * @throws Error for a text that is too long
 */
export function matchesPattern(text: string, pattern: string): boolean {
  if (text.length > MAX_TEXT_LENGTH) throw new Error('the text is too long for a pattern');
  return patternOf(pattern).matcher(text).find();
}

function patternOf(pattern: string): RE2JS {
  let program = compiled.get(pattern);
  if (program === undefined) {
    if (compiled.size >= MAX_PATTERNS) compiled.clear();
    compiled.set(pattern, (program = RE2JS.compile(pattern)));
  }
  return program;
}

// @ts-check
/**
 * Part of `npm run lint`: finds words in the tracked files that this project does not use. Plain current English reads
 * faster, for people and for search.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inRepository } from './repository.mjs';

/** @type {readonly (readonly [bad: RegExp, use: string])[]} */
const WORDS = [
  [/\bcan not\b/i, 'cannot'],
  [/\banew\b/i, 'again'],
  [/\bdear(?:er|est)?\b/i, 'expensive'],
  [/\bneeds? it not\b/i, 'do not need it'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\band for once\b/i, 'valid once'],
  [/\btells? (?:all|everything) that is wrong\b/i, 'reports every problem'],
  [/\b(?:time|µs|ms|microseconds|bytes) a Check\b/, 'per Check'],
  [/\b(?:line|host|row|file) an? (?:decision|policy|problem|issuer|worker|tenant)\b/i, 'per'],
  [/\bkeep it to yourself\b/i, 'do not expose it'],
  [/\b(?:whither|thither|wherefore|thereof|whereof)\b/i, 'a current word'],
];

/** Texts of others, and this list. */
const SKIPPED =
  /^(?:package-lock\.json|LICENSE|proto\/|test\/vectors\/|test\/conformance\/vectors\/|test\/support\/check-language)/;

/**
 * @param {string} text
 * @returns {{ line: number, found: string, use: string }[]}
 */
export function findBadWords(text) {
  return text.split('\n').flatMap((content, index) =>
    WORDS.flatMap(([bad, use]) => {
      const found = bad.exec(content)?.[0];
      return found === undefined ? [] : [{ line: index + 1, found, use }];
    }),
  );
}

/** @returns {string[]} one line per place */
export function checkTrackedFiles() {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: inRepository(), encoding: 'utf8' }).split(
    '\0',
  );
  return files
    .filter((file) => file !== '' && !SKIPPED.test(file))
    .flatMap((file) =>
      findBadWords(read(file)).map(({ line, found, use }) => `${file}:${line}: "${found}"; use "${use}"`),
    );
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(inRepository(file), 'utf8');
  } catch {
    return '';
  }
}

if (process.argv[1] === import.meta.filename) {
  const lines = checkTrackedFiles();
  for (const line of lines) console.error(line);
  process.exitCode = lines.length > 0 ? 1 : 0;
}

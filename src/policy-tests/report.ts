import type { CaseResult } from './run-cases.js';

/** The results of one file. */
export interface TableResult {
  readonly file: string;
  readonly results: readonly CaseResult[];
}

/** The report for people: a line per case, and below a failed one what was expected and what was found. */
export function formatReport(tables: readonly TableResult[]): string {
  const lines = tables.flatMap(({ file, results }) => [
    file,
    ...results.flatMap(({ name, line, differences, found }) =>
      differences.length === 0
        ? [`  ok    ${name}`]
        : [
            `  FAIL  ${name} (line ${line})`,
            ...differences.map((difference) => `        ${difference}`),
            `        found: ${found}`,
          ],
    ),
  ]);
  const all = tables.flatMap(({ results }) => results);
  const failed = all.filter(isFailed).length;
  return [...lines, '', `${all.length} cases, ${failed === 0 ? 'all as expected' : `${failed} failed`}`].join(
    '\n',
  );
}

/** Does any part differ? */
export function isFailed({ differences }: CaseResult): boolean {
  return differences.length > 0;
}

/** The report as JUnit XML, which CI systems read. */
export function formatJunit(tables: readonly TableResult[]): string {
  const suites = tables.map(({ file, results }) => {
    const cases = results.map((result) => junitCase(result, file));
    return `  <testsuite name="${escape(file)}" tests="${results.length}" failures="${results.filter(isFailed).length}">\n${cases.join('\n')}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="portcullis test">\n${suites.join('\n')}\n</testsuites>\n`;
}

function junitCase({ name, line, differences, found }: CaseResult, file: string): string {
  const open = `    <testcase name="${escape(name)}" classname="${escape(file)}" file="${escape(file)}" line="${line}"`;
  if (differences.length === 0) return `${open}/>`;
  const text = [...differences, `found: ${found}`].join('\n');
  return `${open}>\n      <failure message="${escape(differences.join('; '))}">${escape(text)}</failure>\n    </testcase>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no form for most control characters; half of a pair becomes U+FFFD when it is written. */
// eslint-disable-next-line no-control-regex -- they are what is taken out
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function escape(text: string): string {
  return text.replace(NOT_XML, '?').replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

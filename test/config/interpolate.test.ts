import { describe, expect, test } from '@jest/globals';
import { interpolate } from '../../src/config/interpolate.js';
import { formatProblem, ProblemReport } from '../../src/config/problems.js';

const ENV = { A: 'one', B: ' two\n', EMPTY: '', NESTED: '${env:A}', DOLLAR: '$&$1$$' };
const FILES: Record<string, string> = { '/run/secret': ' three\n', './near': 'four' };

function fill(tree: unknown) {
  const report = new ProblemReport();
  const readText = (path: string) =>
    Object.hasOwn(FILES, path) ? { text: FILES[path]! } : { problem: 'does not exist' };
  const result = interpolate(tree, { env: ENV, readText, report });
  return { ...result, problems: report.list().map(formatProblem) };
}

describe('interpolate() fills in', () => {
  test.each([
    ['a variable', '${env:A}', 'one'],
    ['trimmed', '${env:B}', 'two'],
    ['an empty one, which is there', 'x${env:EMPTY}y', 'xy'],
    ['a file, trimmed', '${file:/run/secret}', 'three'],
    ['a file beside the configuration', '${file:./near}', 'four'],
    ['several in one string', 'redis://${env:A}:${file:/run/secret}@h/${env:A}', 'redis://one:three@h/one'],
    ['never what was filled in', '${env:NESTED}', '${env:A}'],
    ['replacement patterns as they are', '${env:DOLLAR}', '$&$1$$'],
    ['nothing where it is escaped', '$${env:A} and $${', '${env:A} and ${'],
    ['nothing where there is a dollar alone', '$env {x} $', '$env {x} $'],
  ])('%s', (_name, text, expected) =>
    expect(fill({ a: [text] })).toMatchObject({ tree: { a: [expected] }, problems: [] }),
  );

  test('strings alone: keys and other values stay', () => {
    expect(fill({ '${env:A}': 1, b: true, c: null }).tree).toEqual({ '${env:A}': 1, b: true, c: null });
  });

  test('and remembers where', () =>
    expect([...fill({ a: { b: ['x', '${env:A}'] } }).filled]).toEqual(['a.b[1]']));
});

describe('interpolate() reports', () => {
  test.each([
    ['a variable that is not set', '${env:MISSING}', 'a: the environment variable MISSING is not set'],
    ['one that every object has', '${env:constructor}', 'a: the environment variable constructor is not set'],
    ['a file that is not there', '${file:/gone}', 'a: the file /gone of ${file:…} does not exist'],
    ['a reference of another kind', '${HOME}', /unknown reference/],
    ['one of a kind to come', '${vault:x}', /unknown reference/],
    ['an empty name', '${env:}', /unknown reference/],
    ['a name that is none', '${env:A B}', /unknown reference/],
    ['one in another', '${file:/run/${env:A}}', /./],
    ['one that is not closed', 'x ${env:A', /not closed/],
  ])('%s', (_name, text, expected) => {
    const { problems } = fill({ a: text });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  test('every one that is missing', () => {
    expect(fill({ a: '${env:X} ${env:Y}', b: '${file:/z}' }).problems).toHaveLength(3);
  });
});

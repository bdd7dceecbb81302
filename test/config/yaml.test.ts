import { describe, expect, test } from '@jest/globals';
import { ConfigError, ProblemReport } from '../../src/config/problems.js';
import { parseYaml } from '../../src/config/yaml.js';

const read = (text: string): unknown => {
  const report = new ProblemReport();
  const { tree } = parseYaml(text, 'gate.yaml', report);
  if (report.list().length > 0) throw new ConfigError(report.list());
  return tree;
};
const refusal = (text: string): string => {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('parseYaml() reads', () => {
  test.each([
    [
      'YAML 1.2 words, which are text',
      'a: off\nb: yes\nc: no\nd: on',
      { a: 'off', b: 'yes', c: 'no', d: 'on' },
    ],
    ['them even where the file asks for YAML 1.1', '%YAML 1.1\n---\na: off', { a: 'off' }],
    ['true and false', 'a: true\nb: false', { a: true, b: false }],
    ['JSON with tabs and escapes', '{\n\t"a": ["\\u00e9\\/", 1.5, null]\n}', { a: ['é/', 1.5, null] }],
    ['sexagesimals and dates as text', 'a: 12:30\nb: 2020-01-01', { a: '12:30', b: '2020-01-01' }],
    ['block text', 'a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
    ['an alias', 'a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['a byte order mark', '\ufeffa: 1', { a: 1 }],
    ['numbers as keys', '1: a', { '1': 'a' }],
    ['constructor as a plain key', 'constructor: 1', { constructor: 1 }],
  ])('%s', (_name, text, expected) => expect(read(text)).toEqual(expected));

  test('mappings without prototype', () => expect(Object.getPrototypeOf(read('a: 1'))).toBeNull());
});

describe('parseYaml() refuses', () => {
  test.each([
    ['an open bracket', 'a: [1,\nb: }', /^gate\.yaml:1:4: the \[ that opens here is not closed$/],
    ['an open quote', 'a: "x', /^gate\.yaml:1:\d+: a quote/],
    ['a reserved character', 'a: @x', /must be quoted/],
    ['an empty file', '', /empty/],
    ['comments alone', '# nothing\n', /empty/],
    ['two documents', 'a: 1\n---\nb: 2', /more than one document/],
    ['a key given twice', 'a: 1\na: 2', /^a: is given twice/],
    ['a key given twice, nested, in flow style', 'x: {a: 1, "a": 2}', /^x\.a: is given twice/],
    ['a key given twice as number and text', '1: a\n"1": b', /given twice/],
    ['__proto__', '__proto__: {a: 1}', /^__proto__: unknown key/],
    ['__proto__ below', 'policies: {__proto__: {access: anonymous}}', /^policies\.__proto__: unknown key/],
    ['a tag of a language', 'a: !!js/function "x"', /tags are not supported/],
    ['a tag of its own', 'a: !secret x', /tags are not supported/],
    ['a list as key', '? [a]\n: 1', /plain word/],
    ['an alias without anchor', 'a: *x', /alias/],
    ['an alias that holds itself', 'a: &x [*x]', /alias hold itself/],
    ['a tab as indentation', 'a:\n\tb: 1', /tab/],
    ['a bomb of aliases', bomb(), /too many/],
    ['twenty thousand brackets', '['.repeat(20_000), /nested too deeply/],
    ['twenty thousand braces', '{a: '.repeat(20_000), /nested too deeply/],
    ['twenty thousand dashes', '- '.repeat(20_000), /nested too deeply/],
  ])('%s', (_name, text, expected) => expect(refusal(text)).toMatch(expected));

  test('without quoting the file', () => {
    for (const text of [
      'k: "a" hush',
      'k: [hush, "hush',
      'k: @hush',
      'hush: &a *b',
      '"hush',
      'k: !hush hush',
      '- hush\nhush: }',
      '%hush',
    ]) {
      expect(refusal(text)).not.toMatch(/accepted|hush/);
    }
  });

  test.each([
    ['an expression with an index', 'p: { when: claims.a == b["c"] }\nq: { x: 1 }', 12],
    ['an expression that starts with a quote', 'p: { when: "a" in claims.b }', 12],
    ['an expression with a mapping', 'p: { when: claims.x == {"a": 1} }', 12],
    ['an expression with a list', 'p: { when: claims.a in ["x", "y"], errors: oauth }', 12],
    ['a conditional in flow style', 'p: { when: size(claims.a) > 2 ? true : false, errors: oauth }', 12],
    ['a conditional in block style', 'when: claims.a ? true : false', 7],
    ['a negation', 'p: { when: !has(claims.a) }', 12],
  ])('%s that is not quoted, with one message', (_name, text, column) => {
    expect(refusal(text)).toMatch(
      new RegExp(`^gate\\.yaml:1:${column}: the expression of when must be quoted here: .*$`),
    );
  });

  test.each([
    ['a mapping', 'issuers:\n  - { issuer: a, audiences: [x]\npolicies:\n  p: {}\n', '2:5: the {'],
    ['a list', 'issuers:\n  - audiences: [x, y\nroutes:\n  - paths: [z]\n', '2:16: the ['],
    ['a mapping in a list', '{ "issuers": [ { "issuer": "a" ]\n}', '1:16: the {'],
  ])('%s that is not closed, with one message', (_name, text, start) => {
    expect(refusal(text)).toBe(`gate.yaml:${start} that opens here is not closed`);
  });

  test('without a stack', () => expect(refusal('a: [')).not.toMatch(/\n\s+at /));
});

function bomb(): string {
  const levels = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (const [name, from] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => pair.split(''))) {
    levels.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${from}`).join(',')}]`);
  }
  return levels.join('\n');
}

import { describe, expect, test } from '@jest/globals';
import { ConfigError, formatProblem } from '../../src/config/problems.js';
import { read } from './config-file.js';

const linesOf = (text: string): string[] => {
  try {
    return read(text).warnings.map(formatProblem);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
};
const ISSUERS = 'issuers: [{ issuer: "https://a.example", audiences: [x] }]\n';

describe('a configuration problem shows its line and column:', () => {
  test.each<[name: string, text: string, end: RegExp]>([
    ['a value', `${ISSUERS}dpop:\n  mode: never`, /^dpop\.mode: .* \(line 3, column 3\)$/],
    ['an entry of a list', `${ISSUERS}credentials:\n  - {}`, /^credentials\[0\]: .*\(line 3, column 5\)$/],
    [
      'a key that is missing',
      'issuers:\n  - issuer: "https://a.example"',
      /audiences: .*\(line 2, column 5\)$/,
    ],
    ['an unknown key', `${ISSUERS}nope: 1`, /^nope: .*\(line 2, column 1\)$/],
    ['a key given twice', `${ISSUERS}dpop: {}\ndpop: {}`, /^dpop: .*\(line 3, column 1\)$/],
    ['a reference', `${ISSUERS}redis:\n  url: "\${env:NOPE}"`, /^redis\.url: .*NOPE.*\(line 3, column 3\)$/],
    [
      'below an alias',
      `${ISSUERS}policies:\n  a: &x { acces: y }\n  b: *x`,
      /^policies\.b.*\(line 3, column 11\)$/,
    ],
    ['JSON', '{"issuers":\n  [{"issuer": 1}]}', /^issuers\[0\]\.issuer: .*\(line 2, column 5\)$/],
    ['what is missing at the root', 'log: {}', /^issuers: is required[^()]*$/],
    [
      'a condition, with the column in it',
      `${ISSUERS}policies:\n  p:\n    when: 'true && user.b == 1'`,
      /^policies\.p\.when: .*Unknown variable: user, at column 9 of the expression \(line 4, column 5\)$/,
    ],
    [
      'a condition of several lines',
      `${ISSUERS}policies:\n  p:\n    when: |\n      true &&\n      user.b == 1`,
      /, at line 2, column 1 of the expression \(line 4, column 5\)$/,
    ],
    [
      'a condition that is split by a comma',
      `${ISSUERS}policies:\n  p: { when: claims.a.exists(r, r == "x") }`,
      /unknown key; is it a part of an expression that must be quoted\? \(line 3, column \d+\)$/,
    ],
    ['a warning', `${ISSUERS}jwks:\n  allowHttp: true`, /^jwks\.allowHttp: .*\(line 3, column 3\)$/],
  ])('%s', (_name, text, end) => {
    expect(linesOf(text)).toContainEqual(expect.stringMatching(end));
  });
});

/** Every regular expression of src needs steps in proportion to the text, whatever the text is. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { inRepository } from '../support/repository.mjs';
import { compileRegExp, countSteps, type Instruction } from '../support/regexp-program.js';

interface Literal {
  readonly place: string;
  readonly source: string;
  readonly flags: string;
}

/** What the engine of this test cannot read, and why no client can feed it. */
const NOT_COUNTED: Readonly<Record<string, string>> = {
  'jwk/import-key.ts': 'a PEM key of the configuration, with a backreference',
};
/** Where an expression is put together at run time, and why that is safe. */
const MADE_AT_RUN_TIME: Readonly<Record<string, string>> = {
  'authz/host.ts':
    'a constant of this file; texts have 261 characters at most, and its parts exclude each other',
};

const root = inRepository('src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function literalsOf(file: string): Literal[] {
  const parsed = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest);
  const found: Literal[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      found.push({ place: file, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

const literals = files.flatMap(literalsOf);

const SHORT = 256;
const LONG = 65_536;
/** Steps for each character. A quadratic expression takes half of the text's length for each. */
const STEPS = 40;

const ALPHABET = [...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)), '\u00e9', '\u2028'];

/** One character for each set of atoms that take it: all others behave as one of these. */
function charactersOf(program: readonly Instruction[]): string[] {
  const atoms = atomsOf(program);
  const bySignature = new Map<string, string>();
  for (const char of ALPHABET) bySignature.set(atoms.map((atom) => (atom(char) ? '1' : '0')).join(''), char);
  return [...bySignature.values()];
}

function atomsOf(program: readonly Instruction[]): ((char: string) => boolean)[] {
  return program.flatMap((each) =>
    each.op === 'char' ? [each.test] : each.op === 'look' ? atomsOf(each.program) : [],
  );
}

/** For each loop of the program, the shortest text that gets there. */
function waysToLoops(program: readonly Instruction[], characters: readonly string[]): Set<string> {
  const ways = new Set(['', '!', '\u2028']);
  const seen = new Set<number>();
  const queue: [at: number, text: string][] = [[0, '']];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [at, text] = next;
    const each = program[at];
    if (each === undefined || seen.has(at)) continue;
    seen.add(at);
    if (each.op === 'split') {
      if (each.loops === true) ways.add(text);
      queue.unshift([each.first, text], [each.second, text]);
    } else if (each.op === 'jump') queue.unshift([each.to, text]);
    else if (each.op === 'char') queue.push([at + 1, text + (characters.find(each.test) ?? '')]);
    else queue.unshift([at + 1, text]);
  }
  return ways;
}

function* attacks(program: readonly Instruction[]): Generator<(length: number) => string> {
  const characters = charactersOf(program);
  for (const way of waysToLoops(program, characters))
    for (const a of characters)
      for (const b of characters)
        for (const end of ['', '\0', '\u2028', '!']) yield (length) => way + (a + b).repeat(length / 2) + end;
}

/** @returns steps for each character of 64 KiB of the text that is worst when it is short */
function worstCost({ source, flags }: Literal): number {
  const program = compileRegExp(source, flags);
  const sticky = flags.includes('y');
  let worst = { steps: 0, textOf: (length: number): string => 'x'.repeat(length) };
  for (const textOf of attacks(program)) {
    const steps = countSteps(program, textOf(SHORT), SHORT * STEPS * 2, sticky);
    if (steps > worst.steps) worst = { steps, textOf };
  }
  return countSteps(program, worst.textOf(LONG), LONG * STEPS * 2, sticky) / LONG;
}

describe('regular expressions of src', () => {
  test.each(literals.filter(({ place }) => !(place in NOT_COUNTED)))(
    '$place: /$source/$flags takes steps in proportion to 64 KiB of its worst characters [security 1]',
    (literal) => {
      expect(worstCost(literal)).toBeLessThan(STEPS);
    },
  );

  test.each([
    String.raw`^[\x00-\x20+?]+|[\x00-\x20+]+$`,
    '(?:a+)+$',
    '(?:a|a)*b',
    'x.*y.*z$',
    String.raw`\s+$`,
  ])('the count finds %s [security 1]', (source) => {
    expect(worstCost({ place: '', source, flags: 'g' })).toBeGreaterThan(STEPS);
  });

  test('are literals, but where that is explained [security 1]', () => {
    const made = files.filter((file) => /\bRegExp\(/.test(readFileSync(join(root, file), 'utf8')));
    expect(made).toEqual(Object.keys(MADE_AT_RUN_TIME));
  });
});

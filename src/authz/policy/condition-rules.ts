/**
 * What a condition may be made of. CEL always ends, but not always soon: nested loops, backtracking patterns and expensive
 * conversions are refused at load, so that no claim and no header can make a condition expensive.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { ConditionError } from './condition-error.js';
import { compilePattern } from './linear-regexp.js';

/** The assumed length of a list of unknown length, and how often the inside of loops may run by that count. */
const ASSUMED_LENGTH = 1000;
const MAX_ITERATIONS = 10_000;

const FUNCTIONS = new Set([
  'has',
  'size',
  'int',
  'uint',
  'double',
  'string',
  'bool',
  'type',
  'dyn',
  'timestamp',
  'duration',
]);
const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const METHODS = new Set([
  ...[
    'size',
    'startsWith',
    'endsWith',
    'contains',
    'indexOf',
    'lastIndexOf',
    'substring',
    'trim',
    'split',
    'join',
  ],
  ...['getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear', 'getFullYear', 'getMonth'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
]);

/** Methods of the library that are replaced by ours: its `matches` backtracks, and its ASCII is all of Unicode. */
export const REPLACED_METHODS = {
  matches: 'matchesLinear',
  lowerAscii: 'lowerAsciiOnly',
  upperAscii: 'upperAsciiOnly',
};

/**
 * Applies the rules to an expression, and replaces methods of the library by our own.
 *
 * @param root a parsed expression that was not checked or evaluated yet; it is changed
 * @throws ConditionError
 */
export function applyConditionRules(root: ASTNode): void {
  visit(root, 1);
}

/** @param iterations how often this part may run */
function visit(node: ASTNode, iterations: number): void {
  switch (node.op) {
    case 'value':
      break;
    case 'id':
      if (node.args === 'cel') throw new ConditionError('cel.bind is not supported', node.pos);
      break;
    case 'call':
      visitCall(node, iterations);
      break;
    case 'rcall':
      visitMethod(node, iterations);
      break;
    case '.':
    case '.?':
      visit(node.args[0], iterations);
      break;
    case 'map':
      for (const entry of node.args) visitAll(entry, iterations);
      break;
    case '!_':
    case '-_':
      visit(node.args, iterations);
      break;
    default:
      visitAll(node.args, iterations);
  }
}

function visitAll(nodes: readonly ASTNode[], iterations: number): void {
  for (const node of nodes) visit(node, iterations);
}

function visitCall({ args: [name, args], pos }: ASTNode & { op: 'call' }, iterations: number): void {
  if (!FUNCTIONS.has(name))
    throw new ConditionError(`${name}() is not supported; functions: ${[...FUNCTIONS].join(', ')}`, pos);
  if (name === 'duration' && !args.every(isText))
    throw new ConditionError('duration() takes a literal text only', pos);
  visitAll(args, iterations);
}

function visitMethod(node: ASTNode & { op: 'rcall' }, iterations: number): void {
  const [name, receiver, args] = node.args;
  visit(receiver, iterations);
  if (LOOPS.has(name)) {
    visitAll(args, iterations * lengthOf(receiver, iterations));
    return;
  }
  visitAll(args, iterations);
  if (name === 'matches') assertPattern(args, node.pos);
  const replacement = replacementOf(name);
  if (replacement !== undefined) node.args[0] = replacement;
  else if (!METHODS.has(name)) throw new ConditionError(`.${name}() is not supported`, node.pos);
}

function replacementOf(name: string): string | undefined {
  return Object.entries(REPLACED_METHODS).find(([replaced]) => replaced === name)?.[1];
}

function lengthOf(range: ASTNode, iterations: number): number {
  const length = range.op === 'list' ? Math.max(1, range.args.length) : ASSUMED_LENGTH;
  if (iterations * length > MAX_ITERATIONS) {
    throw new ConditionError(
      'loops over lists of unknown length must not be nested; use "in", or a literal list',
      range.pos,
    );
  }
  return length;
}

function assertPattern([pattern]: readonly ASTNode[], pos: number): void {
  if (pattern === undefined || !isText(pattern))
    throw new ConditionError('matches() takes a literal pattern only', pos);
  try {
    compilePattern(pattern.args);
  } catch (error) {
    throw new ConditionError(
      `matches(): ${error instanceof Error ? error.message : 'not a pattern'}`,
      pattern.pos,
    );
  }
}

function isText(node: ASTNode): node is ASTNode & { op: 'value'; args: string } {
  return node.op === 'value' && typeof node.args === 'string';
}

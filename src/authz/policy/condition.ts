/** `when`: a condition in CEL, compiled and type-checked once, bounded in what it can cost. */
import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { Denial } from '../denial.js';
import type { Requirement } from '../types.js';
import type { CompiledCondition } from './compile.js';
import { ConditionError } from './condition-error.js';
import { headersReadBy } from './condition-headers.js';
import { applyConditionRules, REPLACED_METHODS } from './condition-rules.js';
import {
  createConditionVariables,
  REQUEST_FIELDS,
  RequestView,
  TOKEN_FIELDS,
  TokenView,
} from './condition-values.js';
import { matchesPattern } from './linear-regexp.js';

const MAX_SOURCE_LENGTH = 4096;
const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 200,
  maxMapEntries: 100,
  maxCallArguments: 8,
};
const SYNC = { async: false };

const environment = createEnvironment();

function createEnvironment(): Environment {
  const env = new Environment({ limits: LIMITS })
    .registerType('portcullis.Request', { ctor: RequestView, fields: REQUEST_FIELDS })
    .registerType('portcullis.Token', { ctor: TokenView, fields: TOKEN_FIELDS })
    .registerVariable('claims', 'map<string, dyn>')
    .registerVariable('session', 'map<string, dyn>')
    .registerVariable('request', 'portcullis.Request')
    .registerVariable('token', 'portcullis.Token')
    .registerFunction(`string.${REPLACED_METHODS.matches}(string): bool`, matchesPattern, SYNC)
    .registerFunction(`string.${REPLACED_METHODS.lowerAscii}(): string`, lowerAscii, SYNC)
    .registerFunction(`string.${REPLACED_METHODS.upperAscii}(): string`, upperAscii, SYNC);
  registerMixedArithmetic(env);
  return env;
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function upperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** Numbers in claims are doubles and numbers in a condition are integers; `claims.level + 1` must work with both. */
function registerMixedArithmetic(env: Environment): void {
  const operators: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  };
  for (const [operator, apply] of Object.entries(operators)) {
    const handler = (a: unknown, b: unknown): number => apply(Number(a), Number(b));
    env.registerOperator(`double ${operator} int: double`, handler);
    env.registerOperator(`int ${operator} double: double`, handler);
  }
}

/**
 * Compiles a condition. It sees `claims` (the token's, as a map), `session` (parameters of the client, as a map), `request` (method, path, host, headers, params,
 * query, time) and `token` (issuer, subject, clientId, scopes, binding, issuedAt, expiresAt). Anything but `true`
 * denies: false, a value that is not a boolean, and every error, such as an absent claim.
 *
 * @param source CEL from the configuration
 * @returns a requirement that throws Denial condition_failed, and the request headers that it reads
 * @throws ConditionError at once for what does not parse, does not type-check, names an unknown variable or field,
 *   cannot be a boolean, or could be too expensive
 * @see https://github.com/google/cel-spec
 */
export function compileCondition(source: string): CompiledCondition {
  const evaluate = parseCondition(source);
  const deny = (found: string): Denial =>
    new Denial('condition_failed', { mismatch: { requirement: 'when', expected: source, found } });
  const failed = deny('an error, such as a claim that is absent');
  const requirement: Requirement = (ctx, token) => {
    let outcome: unknown;
    try {
      outcome = evaluate(createConditionVariables(ctx, token));
    } catch {
      // The evaluator's messages hold values of claims, so they are dropped.
      throw failed;
    }
    if (outcome !== true) throw deny(typeof outcome === 'boolean' ? 'false' : 'not a boolean');
  };
  return { requirement, headers: headersReadBy(evaluate.ast) };
}

function parseCondition(source: string): ParseResult {
  if (source.length > MAX_SOURCE_LENGTH)
    throw new ConditionError(`must not have more than ${MAX_SOURCE_LENGTH} characters`);
  const parsed = parseOrThrow(source);
  applyConditionRules(parsed.ast);
  const { valid, type, error } = parsed.check();
  if (!valid) throw conditionErrorOf(error, 'is not valid');
  if (type !== 'bool' && type !== 'dyn')
    throw new ConditionError(`must be true or false, and is of type ${type}`);
  return parsed;
}

function parseOrThrow(source: string): ParseResult {
  try {
    return environment.parse(source);
  } catch (error) {
    throw conditionErrorOf(error, 'is not CEL');
  }
}

/** Takes the first line of the message: what follows it draws the source. */
function conditionErrorOf(error: unknown, fallback: string): ConditionError {
  if (!(error instanceof Error)) return new ConditionError(fallback);
  const { range } = error as { readonly range?: { readonly start?: number } };
  return new ConditionError(error.message.split('\n', 1)[0] ?? fallback, range?.start);
}

// @ts-check
/** What a test file needs beside node: found by reading it and the files of the repository that it imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { goProgramNames } from './provision-go.mjs';
import { inRepository } from './repository.mjs';

/** @typedef {'build' | 'envoy' | 'redis' | 'postgres' | 'dynamodb' | 'chromium' | 'nginx' | 'haproxy' | import('./provision-go.mjs').GoProgramName} Need */

/** @type {readonly (readonly [Need, RegExp])[]} */
const SIGNS = [
  [
    'build',
    /ensure-built|portcullis-process|['"`/]dist\/|bin\/portcullis|'bin'|test\/demo|token-service\/store-suite/,
  ],
  ['envoy', /provision-envoy\.mjs|envoy-process|demo\/main|'demo'/],
  ['redis', /provision-redis\.mjs/],
  ['postgres', /provision-postgres\.mjs/],
  ['dynamodb', /provision-dynamodb\.mjs/],
  ['chromium', /provision-chromium\.mjs/],
  ['nginx', /provision-nginx\.mjs/],
  ['haproxy', /provision-haproxy\.mjs/],
  ...goProgramNames().map((name) => /** @type {const} */ ([name, new RegExp(`GoProgram\\('${name}'`)])),
];
const IMPORT = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/**
 * @param {readonly string[]} patterns of the command line; none: every file
 * @returns {string[]} absolute paths of the test files that jest would run for them
 */
export function selectTests(patterns) {
  const tests = readdirSync(inRepository('test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => inRepository('test', name))
    .sort();
  if (patterns.length === 0) return tests;
  const expressions = patterns.map((pattern) => new RegExp(pattern, 'i'));
  return tests.filter((file) => expressions.some((expression) => expression.test(file)));
}

/**
 * @param {string} file absolute path of a test
 * @returns {Set<Need>}
 */
export function needsOf(file) {
  /** @type {Set<Need>} */
  const needs = new Set();
  for (const one of withImports(file)) {
    const text = readFileSync(one, 'utf8');
    for (const [need, sign] of SIGNS) if (sign.test(text)) needs.add(need);
  }
  return needs;
}

/**
 * The file and what it imports below test/: sources of the product need nothing of that kind.
 *
 * @param {string} file
 * @param {Set<string>} [seen]
 */
function withImports(file, seen = new Set()) {
  const found = [file, file.replace(/\.js$/, '.ts')].find(exists);
  if (found === undefined || seen.has(found)) return seen;
  seen.add(found);
  for (const [, path] of readFileSync(found, 'utf8').matchAll(IMPORT)) {
    const next = join(dirname(found), path ?? '');
    // The list of signs is no sign.
    if (next === import.meta.filename || relative(inRepository('test'), next).startsWith('..')) continue;
    withImports(next, seen);
  }
  return seen;
}

/** @param {string} file */
function exists(file) {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

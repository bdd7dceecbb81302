// @ts-check
/** Builds dist/ where it is older than what it is made from. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository } from './repository.mjs';

const STAMP = inRepository('dist', '.tsbuildinfo');

/**
 * @param {string} path
 * @returns {number} milliseconds since the epoch; 0: it is not there
 */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * @param {string} folder
 * @returns {number} the newest of all files below it
 */
function newestBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, modified(join(entry.parentPath, entry.name))), 0);
}

/** @returns {boolean} whether a source is newer than the last build */
function isStale() {
  const sources = Math.max(newestBelow(inRepository('src')), modified(inRepository('tsconfig.build.json')));
  return modified(inRepository('dist', 'main.js')) === 0 || sources > modified(STAMP);
}

/**
 * @param {(line: string) => void} [say]
 * @throws {Error} where the compiler finds errors; they are on standard error
 */
export function ensureBuilt(say = () => {}) {
  if (!isStale()) return;
  say('building …');
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: inRepository(), stdio: ['ignore', 2, 2] });
}

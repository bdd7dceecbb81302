import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { inRepository } from '../support/repository.mjs';

interface Package {
  readonly optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync(inRepository('package-lock.json'), 'utf8')) as {
  packages: Record<string, Package>;
};

/** The folders where Node would look for a package's dependency, from inside to outside. */
function candidates(path: string, name: string): string[] {
  const parents =
    path === ''
      ? []
      : path.split('/node_modules/').map((_, index, all) => all.slice(0, index + 1).join('/node_modules/'));
  return [...parents.reverse().map((parent) => `${parent}/node_modules/${name}`), `node_modules/${name}`];
}

describe('package-lock.json', () => {
  // `npm install` leaves those out that a registry does not have; `npm ci` then refuses the file, on every platform.
  test('names the optional packages of every platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !candidates(path, name).some((candidate) => candidate in packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});

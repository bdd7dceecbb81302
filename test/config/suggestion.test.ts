import { expect, test } from '@jest/globals';
import { suggest } from '../../src/config/suggestion.js';

test.each([
  ['audience', 'audiences'],
  ['acces', 'access'],
  ['Dpop', 'dpop'],
  ['jwksURI', 'jwksUri'],
  ['x', undefined],
  ['entirely-different', undefined],
  ['a'.repeat(10_000), undefined],
])('suggest() %s: %s', (word, expected) => {
  expect(suggest(word, ['audiences', 'access', 'dpop', 'jwksUri'])).toBe(expected);
});

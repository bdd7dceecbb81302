import { describe, expect, test } from '@jest/globals';
import { findBadWords } from './check-language.mjs';

describe('findBadWords()', () => {
  test.each([
    ['It can not be read.', 'cannot'],
    ['fetched anew', 'again'],
    ['make a condition dear', 'expensive'],
    ['a Check that needs it not', 'do not need it'],
    ['a line a problem', 'per'],
    ['Processor time a Check', 'per Check'],
  ])('finds "%s"', (text, use) => {
    expect(findBadWords(`fine\n${text}`)).toMatchObject([{ line: 2, use }]);
  });

  test.each(['It cannot be read.', 'a file and a policy', 'what a Check costs', 'amend'])(
    'lets "%s" be',
    (text) => expect(findBadWords(text)).toEqual([]),
  );
});

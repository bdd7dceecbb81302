import { describe, expect, test } from '@jest/globals';
import { createKeptValues, isKept, markKept, perKeptToken, perObject } from '../../src/authz/kept.js';
import { verifiedToken } from './contexts.js';

/** verifiedToken() marks its token; a copy is another object. */
const unmarked = () => ({ ...verifiedToken() });

describe('isKept()', () => {
  test('goes by the object, not by what it holds', () => {
    const token = unmarked();
    markKept(token);
    expect([isKept(token), isKept({ ...token })]).toEqual([true, false]);
  });
});

describe('perKeptToken()', () => {
  test('makes a value once for a kept token', () => {
    const of = perKeptToken(() => ({}));
    const token = verifiedToken();
    expect(of(token)).toBe(of(token));
    expect(of(verifiedToken())).not.toBe(of(token));
  });

  test('makes a value every time for another one', () => {
    const of = perKeptToken(() => ({}));
    const token = unmarked();
    expect(of(token)).not.toBe(of(token));
  });

  test('begins again after a throw', () => {
    let calls = 0;
    const of = perKeptToken(() => {
      if (++calls === 1) throw new Error('once');
      return {};
    });
    const token = verifiedToken();
    expect(() => of(token)).toThrow('once');
    expect(of(token)).toEqual({});
  });
});

describe('createKeptValues()', () => {
  test('keeps and replaces a value of a kept token, and none of another', () => {
    const values = createKeptValues<number>();
    const [kept, other] = [verifiedToken(), unmarked()];
    for (const value of [1, 2]) for (const token of [kept, other]) values.set(token, value);
    expect([values.get(kept), values.get(other)]).toEqual([2, undefined]);
  });
});

describe('perObject()', () => {
  test('makes a value once per object, and another for an equal one', () => {
    const of = perObject((list: readonly string[]) => ({ list }));
    const list = ['a'];
    expect(of(list)).toBe(of(list));
    expect(of(list)).not.toBe(of(['a']));
  });
});

/**
 * What is made of a token is worth keeping only where the very same object will serve further requests: the token memory
 * marks those. Everything that is kept for a token goes with it, because nothing here holds a token.
 *
 * The rule for whoever keeps something by a token's identity: make it for a token that is not marked, keep it for one that
 * is, and never write to it after it was handed over.
 */
import type { VerifiedToken } from './types.js';

const marked = new WeakSet<object>();

/**
 * Marks an object as one that serves further requests: a token, which only the token memory does, or a refusal.
 *
 * @returns the same object
 */
export function markKept<T extends object>(object: T): T {
  marked.add(object);
  return object;
}

/** Does this very object serve further requests? */
export function isKept(object: object): boolean {
  return marked.has(object);
}

/** Values by token. */
export interface KeptValues<T> {
  get(token: VerifiedToken): T | undefined;
  /** Does nothing for a token that is not kept. */
  set(token: VerifiedToken, value: T): void;
}

/** Creates a place for values that may be replaced, such as those that expire. */
export function createKeptValues<T>(): KeptValues<T> {
  const values = new WeakMap<VerifiedToken, T>();
  return {
    get: (token) => values.get(token),
    set(token, value) {
      if (marked.has(token)) values.set(token, value);
    },
  };
}

/**
 * Makes a value once per kept token, and once per request for any other.
 *
 * @param make must give the same for the same token; what it throws is thrown again on the next call
 */
export function perKeptToken<T extends object>(
  make: (token: VerifiedToken) => T,
): (token: VerifiedToken) => T {
  const values = new WeakMap<VerifiedToken, T>();
  return (token) => {
    const known = values.get(token);
    if (known !== undefined) return known;
    const made = make(token);
    if (marked.has(token)) values.set(token, made);
    return made;
  };
}

/**
 * Caching by object identity: the one mechanism by which something that was made of an object is found again with the very
 * same object. Headers, metadata, refusals and the bytes of answers all rest on it.
 *
 * The rule: an object that was handed over is never written to again, so what was made of it stays true. What is kept
 * hangs on the object in a WeakMap, and goes when the object goes; nothing here holds one alive. Keeping pays only where
 * the same object will come again: the token memory marks tokens that will, and a refusal that serves many requests is
 * marked as well. For an object that is not marked, make the value for the request at hand.
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

/**
 * Makes a value once per object, for lists that are shared between requests.
 *
 * @param make must give the same for the same object
 */
export function perObject<K extends object, T extends object>(make: (object: K) => T): (object: K) => T {
  const values = new WeakMap<K, T>();
  return (object) => {
    let value = values.get(object);
    if (value === undefined) values.set(object, (value = make(object)));
    return value;
  };
}

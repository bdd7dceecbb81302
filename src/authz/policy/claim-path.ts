/** Finds a claim by name: first a claim of exactly that name, then along the dots through objects. */
import { isJsonObject, type JsonObject } from '../../ports.js';

/** Finds a claim in a token's claims. @returns undefined where it is absent */
export type ClaimReader = (claims: JsonObject) => unknown;

/** Names with more dots find nothing. It bounds the work per lookup. */
const MAX_SEGMENTS = 16;

/**
 * Compiles the name of a claim. A claim of the very name wins (`https://acme.com/roles` is full of dots), then
 * the longest name that leads to an object in which the rest is found: `realm_access.roles`. Only own properties of
 * objects count, and `__proto__` is never found, even as an own one.
 *
 * @param name from the configuration
 */
export function compileClaimPath(name: string): ClaimReader {
  if (!name.includes('.')) return name === '__proto__' ? () => undefined : (claims) => ownValue(claims, name);
  const segments = name.split('.');
  if (segments.includes('__proto__')) return () => undefined;
  return (claims) => {
    const literal = ownValue(claims, name);
    return literal !== undefined || segments.length > MAX_SEGMENTS ? literal : walk(claims, segments);
  };
}

function ownValue(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function walk(object: JsonObject, segments: readonly string[]): unknown {
  const whole = ownValue(object, segments.join('.'));
  if (whole !== undefined) return whole;
  for (let length = segments.length - 1; length > 0; length--) {
    const next = ownValue(object, segments.slice(0, length).join('.'));
    const found = isJsonObject(next) ? walk(next, segments.slice(length)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

import { Composer, isMap, isScalar, isSeq, Parser } from 'yaml';
import type { JsonObject } from '../ports.js';

/** Far beyond what describes a client. */
const MAX_DEPTH = 8;
const MAX_VALUES = 1000;

/** The text is not a mapping of JSON values within bounds. The message quotes no value. */
export class SessionParametersError extends Error {
  override readonly name = 'SessionParametersError';
}

/**
 * Reads session parameters: a YAML 1.2 or JSON mapping of JSON values. Aliases, tags, several documents, keys that are
 * no text or are given twice, and numbers that JSON does not have are refused. An empty file is an empty mapping.
 *
 * @param text of a file whose size is bounded, from the operator
 * @returns deeply frozen objects without a prototype
 * @throws SessionParametersError
 */
export function parseSessionParameters(text: string): JsonObject {
  const tokens = [...new Parser().parse(text)];
  // The composer is recursive: what is too deep must not reach it.
  if (isTooDeep(tokens)) throw new SessionParametersError(`nested deeper than ${MAX_DEPTH} levels`);
  const options = { schema: 'core', prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const;
  const [document, more] = [...new Composer({ ...options, resolveKnownTags: false }).compose(tokens)];
  if (document === undefined) return Object.freeze(Object.create(null) as Record<string, unknown>);
  if (more !== undefined) throw new SessionParametersError('more than one document');
  if (document.errors.length + document.warnings.length > 0)
    throw new SessionParametersError('not valid YAML');
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return Object.freeze(Object.create(null) as Record<string, unknown>);
  }
  if (!isMap(contents)) throw new SessionParametersError('not a mapping');
  return new JsonBuilder().build(contents) as JsonObject;
}

/** A level of the text is at most three of the syntax tree: a collection, its item, its value. */
function isTooDeep(tokens: readonly unknown[]): boolean {
  const waiting = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.depth > MAX_DEPTH * 3) return true;
    const { items, key, value } = next.token as { items?: unknown[]; key?: unknown; value?: unknown };
    for (const child of [...(items ?? []), key, value]) {
      if (typeof child === 'object' && child !== null) waiting.push({ token: child, depth: next.depth + 1 });
    }
  }
  return false;
}

class JsonBuilder {
  private values = 0;

  build(node: unknown): unknown {
    if (++this.values > MAX_VALUES) throw new SessionParametersError(`more than ${MAX_VALUES} values`);
    if (isMap(node)) return this.mapping(node.items);
    if (isSeq(node)) return Object.freeze(node.items.map((item) => this.build(item)));
    if (node === null) return null;
    if (!isScalar(node)) throw new SessionParametersError('an alias or a value of an unknown kind');
    return assertJsonScalar(node.value);
  }

  private mapping(items: readonly { readonly key: unknown; readonly value: unknown }[]): JsonObject {
    const object = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of items) {
      const name = isScalar(key) ? key.value : undefined;
      if (typeof name !== 'string' || name === '') throw new SessionParametersError('a key that is no text');
      if (Object.hasOwn(object, name)) throw new SessionParametersError('a key that is given twice');
      object[name] = this.build(value);
    }
    return Object.freeze(object);
  }
}

function assertJsonScalar(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new SessionParametersError('a value that JSON does not have');
}

/** What the configuration names by path or holds as text: PEM, JWK sets, signing keys. */
import { createPrivateKey } from 'node:crypto';
import { ASYMMETRIC_ALGORITHMS } from '../jwk/types.js';
import type { ConfigFiles, FileText } from './files.js';
import { asTree } from './config-value.js';

/** A JWK as it was written; nothing of it is checked. */
export type Jwk = Readonly<Record<string, unknown>>;

/** A JWK set (RFC 7517 5) of the operator's own: trusted in origin, not in shape. */
export interface JwkSet {
  readonly keys: readonly Jwk[];
}

/** Content, or what is wrong with it in words that follow the key's path. */
export type Content<T> = { readonly value: T } | { readonly problem: string };

/**
 * Reads PEM that stands in the file itself or in another one. Does not look inside it.
 *
 * @param source PEM text, or a path
 */
export function readPem(source: string, files: ConfigFiles): Content<string> {
  if (source.includes('-----BEGIN ')) return { value: source };
  return named(files.readText(source));
}

/**
 * Reads a JWK set: inline, as JSON text, or from a file. Does not check its keys.
 *
 * @param source a value of the configuration
 */
export function readJwkSet(source: unknown, files: ConfigFiles): Content<JwkSet> {
  const parsed = typeof source === 'string' ? readJson(source, files) : { value: source };
  if ('problem' in parsed) return parsed;
  const keys = asTree(parsed.value)?.keys;
  const isSet = Array.isArray(keys) && keys.every((key) => asTree(key) !== undefined);
  return isSet
    ? { value: { keys: keys as Jwk[] } }
    : { problem: 'must be a JWK set: an object with a list of JWKs in keys' };
}

/**
 * Reads a client's private key: one private JWK with `kid` and `alg`, inline, as JSON text, or from a file.
 *
 * @param source a value of the configuration
 */
export function readClientKey(source: unknown, files: ConfigFiles): Content<Jwk> {
  const parsed = typeof source === 'string' ? readJson(source, files) : { value: source };
  if ('problem' in parsed) return parsed;
  const jwk = asTree(parsed.value);
  if (typeof jwk?.kid !== 'string' || !ASYMMETRIC_ALGORITHMS.some((alg) => alg === jwk.alg))
    return {
      problem: `must be one private JWK with kid, and with alg of ${ASYMMETRIC_ALGORITHMS.join(', ')}`,
    };
  try {
    createPrivateKey({ key: { ...jwk }, format: 'jwk' });
    return { value: jwk };
  } catch {
    return { problem: 'must be a private key; this one is public, or incomplete' };
  }
}

/**
 * Reads JSON text, or a file of it.
 *
 * @param source JSON text that begins with a brace, or a path
 */
export function readJson(source: string, files: ConfigFiles): Content<unknown> {
  const content = source.trimStart().startsWith('{') ? { value: source } : named(files.readText(source));
  if ('problem' in content) return content;
  try {
    return { value: JSON.parse(content.value) as unknown };
  } catch {
    return { problem: 'must be JSON' };
  }
}

/** The path is a value, and values are not quoted. */
function named(file: FileText): Content<string> {
  return 'text' in file
    ? { value: file.text }
    : { problem: `the file named here ${file.problem}; paths are relative to the configuration file` };
}

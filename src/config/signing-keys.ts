import { parseSigningKeySet, type SigningKeySet } from '../signing/key-set.js';
import { type Content, readJson } from './key-material.js';
import type { ConfigFiles } from './files.js';

/**
 * Reads and checks the signing key set that `tokens.keys` names.
 *
 * @param source JSON text, or the path of a file
 */
export function readSigningKeys(source: string, files: ConfigFiles): Content<SigningKeySet> {
  const json = readJson(source, files);
  return 'problem' in json ? json : parseSigningKeySet(json.value);
}

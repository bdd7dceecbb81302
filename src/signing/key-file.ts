import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { parseSigningKeySet, type SigningKeySet } from './key-set.js';
import { SigningKeyError } from './signer.js';

/** Its owner alone reads and writes it. */
const MODE = 0o600;

/**
 * Reads a signing key set from a file.
 *
 * @throws SigningKeyError where it is no key set; the errors of node:fs
 */
export function readKeyFile(path: string): SigningKeySet {
  const parsed = parseSigningKeySet(parseJson(readFileSync(path, 'utf8')));
  if ('problem' in parsed) throw new SigningKeyError(`the key file ${parsed.problem}`);
  return parsed.value;
}

/**
 * Replaces a key file as a whole: a reader sees the old or the new content, and a crash leaves one of them. The new file
 * has mode 0600 whatever the old one had. A link is followed, so that the link itself stays.
 *
 * @throws the errors of node:fs; the old file is untouched then
 */
export function replaceKeyFile(path: string, set: SigningKeySet): void {
  const target = realpathSync(path);
  const temporary = join(dirname(target), `.${randomUUID()}.tmp`);
  const descriptor = openSync(temporary, 'wx', MODE);
  try {
    try {
      // The umask may have taken bits away; it never adds any.
      fchmodSync(descriptor, MODE);
      writeSync(descriptor, `${JSON.stringify(set, null, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return undefined;
  }
}

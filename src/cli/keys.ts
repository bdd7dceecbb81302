import { generateSigningKeys } from '../signing/generate.js';
import { readKeyFile, replaceKeyFile } from '../signing/key-file.js';
import type { SigningAlgorithm } from '../signing/key-set.js';
import { rotateKeySet } from '../signing/rotate.js';
import { type CliIo, EXIT, type ExitCode } from './io.js';

/** `portcullis keys generate`: prints a new signing key set. What it prints is secret. */
export async function runKeysGenerate(
  options: { readonly alg: SigningAlgorithm; readonly kid?: string },
  io: CliIo,
): Promise<ExitCode> {
  io.out(JSON.stringify(await generateSigningKeys(options.alg, options.kid), null, 2));
  return EXIT.ok;
}

/** What `portcullis keys rotate` is given. */
export interface RotateOptions {
  /** The key file. */
  readonly file: string;
  /** undefined: that of the key in use. */
  readonly alg: SigningAlgorithm | undefined;
  readonly kid: string | undefined;
  /** How long retired public keys stay, milliseconds. */
  readonly keepMs: number;
}

/**
 * `portcullis keys rotate`: puts a new active key into a key file, keeps the old public key, and drops public keys that
 * were retired long ago. The file is replaced as a whole. A running server takes it by itself.
 *
 * @throws SigningKeyError, the errors of node:fs
 */
export async function runKeysRotate(options: RotateOptions, io: CliIo): Promise<ExitCode> {
  const set = readKeyFile(options.file);
  const active = set.private_keys.find(({ kid }) => kid === set.active_kid);
  const next = await generateSigningKeys(options.alg ?? (active?.alg as SigningAlgorithm), options.kid);
  const rotated = rotateKeySet(set, {
    next,
    nowS: Math.floor(Date.now() / 1000),
    keepS: options.keepMs / 1000,
  });
  replaceKeyFile(options.file, rotated);
  const dropped = set.public_keys.length + 1 - rotated.public_keys.length;
  io.out(
    `${rotated.active_kid} signs now; ${rotated.public_keys.length} public keys are published, ${dropped} dropped`,
  );
  return EXIT.ok;
}

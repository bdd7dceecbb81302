import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';

/** Reads a whole file; throws as node:fs does. */
export type ReadFile = (path: string) => Uint8Array;

/** Larger than any configuration, key set or certificate chain that a person keeps. */
export const MAX_FILE_BYTES = 4 * 1_048_576;

class FileTooLargeError extends Error {}

/**
 * Reads a file, and no more than the bound: an endless device or a log file named by mistake ends early.
 *
 * @throws the errors of node:fs, or one without `code` for a file above the bound
 */
export function readBoundedFile(path: string): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; ;) {
      const chunk = Buffer.alloc(65_536);
      const count = readSync(descriptor, chunk, 0, chunk.length, null);
      if (count === 0) return Buffer.concat(chunks);
      total += count;
      if (total > MAX_FILE_BYTES) throw new FileTooLargeError();
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The digest of a file that is not there or cannot be read. */
export const UNREADABLE = 'unreadable';

/** @returns SHA-256, to compare contents */
export function digestOfBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** The text of a file, or why there is none, in words that follow its name. */
export type FileText = { readonly text: string } | { readonly problem: string };

/** The files of one configuration: paths are relative to its folder, and everything that was asked for is remembered. */
export class ConfigFiles {
  readonly #read = new Map<string, FileText>();
  readonly #digests: Record<string, string> = {};

  /**
   * @param folder where the configuration file is
   * @param readFile lends the disk
   */
  constructor(
    private readonly folder: string,
    private readonly readFile: ReadFile,
  ) {}

  /** Every file that was asked for, as absolute paths, whether it could be read or not: a change may cure it. */
  get names(): readonly string[] {
    return [...this.#read.keys()];
  }

  /** What was in them, by absolute path. */
  get digests(): Readonly<Record<string, string>> {
    return this.#digests;
  }

  /** @returns the absolute path of what the file names */
  locate(path: string): string {
    return resolve(this.folder, path);
  }

  /** Reads a text file once. Does not trim. */
  readText(path: string): FileText {
    const name = this.locate(path);
    const found = this.#read.get(name) ?? this.#readUtf8(name);
    this.#read.set(name, found);
    return found;
  }

  #readUtf8(path: string): FileText {
    this.#digests[path] = UNREADABLE;
    return readUtf8(() => {
      const bytes = this.readFile(path);
      this.#digests[path] = digestOfBytes(bytes);
      return bytes;
    });
  }
}

function readUtf8(read: () => Uint8Array): FileText {
  try {
    const bytes = read();
    if (bytes.length > MAX_FILE_BYTES) return { problem: `is larger than ${MAX_FILE_BYTES} bytes` };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

/** The problem of a path that names a folder. */
export const IS_FOLDER = 'is a folder, not a file';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: IS_FOLDER,
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
};

function reasonOf(error: unknown): string {
  if (error instanceof FileTooLargeError) return `is larger than ${MAX_FILE_BYTES} bytes`;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? (REASONS[code] ?? `cannot be read (${code})`) : 'cannot be read';
}

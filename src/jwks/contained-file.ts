import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Why a file is not read; for the log. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
}

/**
 * Says whether a file may have changed: device, inode, size and times of what it leads to.
 *
 * @returns undefined: it is not there, or is not a file
 */
export function stampOfFile(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true });
    if (!stat.isFile()) return undefined;
    return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    return 'unreadable';
  }
}

/**
 * Reads a file of a folder as UTF-8. Links are followed as long as they stay in the folder, as those of a mounted
 * ConfigMap do.
 *
 * @param folder trusted
 * @param name a plain file name, checked by the caller
 * @throws FileRefused for a link that leads out, what is not a file, too many bytes, and bytes that are not UTF-8; the
 *   errors of node:fs
 */
export function readContainedFile(folder: string, name: string, maxBytes: number): string {
  const root = realpathSync(folder);
  const path = realpathSync(join(root, name));
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new FileRefused('a link that leads out of the folder');
  }
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) throw new FileRefused('not a file');
    // One byte more than allowed shows that there is more.
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      count = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length > maxBytes) throw new FileRefused(`larger than ${maxBytes} bytes`);
    return decode(buffer.subarray(0, length));
  } finally {
    closeSync(descriptor);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new FileRefused('not UTF-8');
  }
}

/** @returns whether an error of node:fs has this code; recognized by shape, since tests have another realm */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

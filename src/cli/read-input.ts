import { ConfigFiles, MAX_FILE_BYTES, readBoundedFile } from '../config/files.js';
import { type CliIo, describeError } from './io.js';

/** A stream to its end, or to the bound. @throws Error */
export async function readBounded(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array);
    if ((total += bytes.length) > MAX_FILE_BYTES) throw new Error(`is larger than ${MAX_FILE_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Reads what an option names: a file, or standard input for `-`. The text may hold a credential, and is never quoted.
 *
 * @returns undefined where it cannot be read, which is reported
 */
export async function readInput(file: string, io: CliIo): Promise<string | undefined> {
  if (file === '-') {
    try {
      return await io.in();
    } catch (error) {
      io.err(`standard input: ${describeError(error)}`);
      return undefined;
    }
  }
  const content = new ConfigFiles(process.cwd(), readBoundedFile).readText(file);
  if ('text' in content) return content.text;
  io.err(`${file}: ${content.problem}`);
  return undefined;
}

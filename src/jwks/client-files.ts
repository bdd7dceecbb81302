import { join } from 'node:path';
import { importPemFile } from '../jwk/import-pem-file.js';
import { JwkRejection } from '../jwk/jwk-rejection.js';
import type { VerificationKey } from '../jwk/types.js';
import type { JsonObject } from '../ports.js';
import { FileRefused, hasCode, readContainedFile, stampOfFile } from './contained-file.js';
import { parseSessionParameters, SessionParametersError } from './session-parameters.js';

/** Of one file, bytes. */
const MAX_FILE_BYTES = 65_536;

const NO_SESSION: JsonObject = Object.freeze(Object.create(null) as Record<string, unknown>);

/** What a file held when it could last be read. */
interface Held<T> {
  /** undefined: the disk failed, and is asked again. */
  readonly stamp: string | undefined;
  /** Why what is there now is not used. */
  readonly problem?: string;
  /** undefined: it could never be read. */
  readonly text: string | undefined;
  readonly content: T | undefined;
}

/** One client's two files, and what they held when they could last be read. */
export class ClientFiles {
  private pem: Held<readonly VerificationKey[]> | undefined;
  private yaml: Held<JsonObject> | undefined;

  /**
   * @param folder trusted
   * @param value the client, checked; names the files
   * @param refused takes the name of a file that is not used, and why
   */
  constructor(
    private readonly folder: string,
    private readonly value: string,
    private readonly refused: (file: string, reason: string) => void,
  ) {}

  /** undefined: there is nothing to trust, or session parameters that could never be read. */
  get keys(): readonly VerificationKey[] | undefined {
    const isUnknown = this.yaml !== undefined && this.yaml.content === undefined;
    return isUnknown ? undefined : this.pem?.content;
  }

  get session(): JsonObject {
    return this.yaml?.content ?? NO_SESSION;
  }

  /**
   * Looks at the files.
   *
   * @param hasSession whether the folder lists the file of session parameters, by exactly its name
   * @returns whether keys or session parameters are other ones than before
   */
  refresh(hasSession: boolean): boolean {
    const { pem, yaml } = this;
    this.pem = this.look(`${this.value}.pem`, pem, importPemFile);
    this.yaml = hasSession ? this.look(`${this.value}.yaml`, yaml, parseSessionParameters) : undefined;
    return this.pem?.content !== pem?.content || this.yaml?.content !== yaml?.content;
  }

  private look<T>(
    name: string,
    before: Held<T> | undefined,
    parse: (text: string) => T,
  ): Held<T> | undefined {
    // Stamped before it is read: a write in between is seen at the next look, never missed.
    const stamp = stampOfFile(join(this.folder, name));
    if (stamp === undefined || stamp === before?.stamp) return stamp === undefined ? undefined : before;
    try {
      const text = readContainedFile(this.folder, name, MAX_FILE_BYTES);
      const content = text === before?.text ? before.content : undefined;
      return { stamp, text, content: content ?? parse(text) };
    } catch (error) {
      // Removed since it was looked at.
      if (hasCode(error, 'ENOENT')) return undefined;
      const { problem, isLasting } = describe(error);
      if (problem !== before?.problem || isLasting) this.refused(name, problem);
      return { stamp: isLasting ? stamp : undefined, problem, text: before?.text, content: before?.content };
    }
  }
}

/** @returns words for the log; lasting: the file itself is at fault, and only a change can cure it */
function describe(error: unknown): { readonly problem: string; readonly isLasting: boolean } {
  if (error instanceof JwkRejection) return { problem: error.code, isLasting: true };
  if (error instanceof FileRefused || error instanceof SessionParametersError) {
    return { problem: error.message, isLasting: true };
  }
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return { problem: typeof code === 'string' ? code : 'cannot be read', isLasting: false };
}

/** A place in the configuration: keys and list indexes from the root. */
export type ConfigPath = readonly PropertyKey[];

/** A place in the text of the file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds the place of a path in the text of the file. */
export type Locate = (path: ConfigPath) => Position | undefined;

/** A problem or a warning. Holds no value of the file, since any value may be a secret. */
export interface Problem {
  readonly path: string;
  readonly text: string;
  /** undefined where it stands nowhere in the file, or in `path` already. */
  readonly position?: Position | undefined;
}

/** The configuration cannot be used. Lists everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  /**
   * @param problems what is wrong, at least one
   * @param files absolute paths of the files that took part, even if they could not be read: a change may cure it
   * @param digests what was in them, by path, for a watcher that starts later
   */
  constructor(
    readonly problems: readonly Problem[],
    readonly files: readonly string[] = [],
    readonly digests: Readonly<Record<string, string>> = {},
  ) {
    super(problems.map(formatProblem).join('\n'));
  }
}

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;
const MAX_KEY_LENGTH = 128;

/**
 * Writes a path as people would: `issuers[0].audiences`, `server.authorities["orders.internal"]`.
 *
 * @param path keys come from the file and may hold anything; they are quoted and cut where they are odd
 */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (PLAIN_KEY.test(String(part))) text += text === '' ? String(part) : `.${String(part)}`;
    else text += `[${JSON.stringify(String(part).slice(0, MAX_KEY_LENGTH))}]`;
  }
  return text === '' ? 'configuration' : text;
}

/** @returns the one line that a person reads: `path: what is wrong, what is allowed (line 3, column 5)` */
export function formatProblem({ path, text, position }: Problem): string {
  const place = position === undefined ? '' : ` (line ${position.line}, column ${position.column})`;
  // eslint-disable-next-line no-control-regex -- a key of the file must not forge a second line
  return `${path}: ${text}${place}`.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ');
}

interface Entry {
  readonly path: ConfigPath;
  readonly problem: Problem;
  readonly closes: boolean;
}

/** Collects problems from all checks, so that none hides another and none is reported twice. */
export class ProblemReport {
  readonly #entries: Entry[] = [];
  readonly #lines = new Set<string>();

  /** Reports a problem at a path. */
  add(path: ConfigPath, text: string): void {
    this.#push(path, text, false);
  }

  /** Reports a problem that makes all others at this path and below it meaningless. */
  close(path: ConfigPath, text: string): void {
    this.#push(path, text, true);
  }

  /**
   * @param locate finds the place of a problem in the file
   * @returns what is wrong, in the order in which it was found
   */
  list(locate?: Locate): readonly Problem[] {
    const closing = this.#entries.filter((entry) => entry.closes);
    // Several that close the same path are all reported.
    const isHidden = (entry: Entry): boolean =>
      closing.some(
        (other) =>
          isAtOrBelow(entry.path, other.path) && !(entry.closes && entry.path.length === other.path.length),
      );
    return this.#entries
      .filter((entry) => !isHidden(entry))
      .map(({ path, problem }) => ({ ...problem, position: locate?.(path) }));
  }

  #push(path: ConfigPath, text: string, closes: boolean): void {
    const problem = { path: formatPath(path), text };
    const line = formatProblem(problem);
    if (this.#lines.has(line)) return;
    this.#lines.add(line);
    this.#entries.push({ path, problem, closes });
  }
}

function isAtOrBelow(path: ConfigPath, ancestor: ConfigPath): boolean {
  return ancestor.length <= path.length && ancestor.every((part, index) => part === path[index]);
}

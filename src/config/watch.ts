import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { LoadedConfig } from './load.js';
import { digestOfBytes, readBoundedFile, type ReadFile, UNREADABLE } from './files.js';

/** How a watch works. What is left out has a sensible default. */
export interface WatchOptions {
  /** What loadConfig() read, so that a change between loading and watching is not missed. */
  readonly loaded?: Pick<LoadedConfig, 'digests'>;
  /** How long the disk must be quiet before files are looked at, milliseconds. */
  readonly debounceMs?: number;
  /** How often files are looked at without an event; network file systems and overlays send none. Milliseconds. */
  readonly pollMs?: number;
  readonly readFile?: ReadFile;
}

/** A watch on a configuration and the files it names. */
export interface ConfigWatcher {
  /**
   * Sets which files matter besides the configuration itself: call it after each load.
   *
   * @param digests what the load read, so that a change since then is not missed; a file without one is read now
   */
  watch(files: readonly string[], digests?: Readonly<Record<string, string>>): void;
  /** Looks at the files now. @returns true when something had changed, and `onChange` was called */
  check(): boolean;
  close(): void;
}

const DEFAULT_DEBOUNCE_MS = 100;
const DEFAULT_POLL_MS = 1000;
const MAX_POSTPONED = 10;

/**
 * Watches a configuration file. Survives editors, atomic renames and the symbolic links that Kubernetes swaps under a
 * ConfigMap: folders are watched rather than files, links are followed each time, and a poll finds what no event reported.
 * Calls only when content differs, so a touched file causes nothing. Never keeps the process alive.
 *
 * @param file path of the configuration
 * @param onChange called after a change, however many files it touched; must not throw
 */
export function watchConfig(file: string, onChange: () => void, options: WatchOptions = {}): ConfigWatcher {
  return new FileWatch(resolve(file), onChange, options);
}

class FileWatch implements ConfigWatcher {
  readonly #main: string;
  readonly #readFile: ReadFile;
  readonly #debounceMs: number;
  readonly #poll: NodeJS.Timeout;
  readonly #folders = new Map<string, FSWatcher>();
  #files: readonly string[] = [];
  /** By file: what it looked like, and what was in it. */
  #seen = new Map<string, Sight>();
  #pending: NodeJS.Timeout | undefined;
  #postponed = 0;

  constructor(
    file: string,
    private readonly onChange: () => void,
    options: WatchOptions,
  ) {
    this.#main = file;
    this.#readFile = options.readFile ?? readBoundedFile;
    this.#debounceMs = options.debounceMs ?? DEFAULT_DEBOUNCE_MS;
    const digests = Object.entries(options.loaded?.digests ?? {});
    // Without a stamp, so that the first look compares what was loaded with what is there.
    this.#seen = new Map(digests.map(([name, digest]) => [name, { stamp: '', digest }]));
    this.watch([...this.#seen.keys()]);
    this.#poll = setInterval(() => this.#lookSoon(), options.pollMs ?? DEFAULT_POLL_MS);
    this.#poll.unref();
  }

  watch(files: readonly string[], digests: Readonly<Record<string, string>> = {}): void {
    this.#files = [...new Set([this.#main, ...files])];
    const sights = this.#files.map((file) => [file, this.#sightOf(file, digests[file])] as const);
    this.#seen = new Map(sights);
    this.#watchFolders();
  }

  check(): boolean {
    // The stamp costs a stat; content is read only where it differs.
    const touched = this.#files.filter((file) => this.#seen.get(file)?.stamp !== stampOf(file));
    const changed = touched.filter((file) => {
      const before = this.#seen.get(file);
      const now = this.#look(file);
      this.#seen.set(file, now);
      return now.digest !== before?.digest;
    });
    // A link may lead to another folder now.
    if (touched.length > 0) this.#watchFolders();
    if (changed.length > 0) this.onChange();
    return changed.length > 0;
  }

  close(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#pending);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
    this.#files = [];
  }

  /** Without a stamp where only the digest is known, so that the next look compares content. */
  #sightOf(file: string, digest: string | undefined): Sight {
    const seen = this.#seen.get(file);
    if (digest === undefined) return seen ?? this.#look(file);
    return seen?.digest === digest ? seen : { stamp: '', digest };
  }

  #look(file: string): Sight {
    // Stamped before it is read: a write in between is then seen at the next look, never missed.
    const stamp = stampOf(file);
    return { stamp, digest: digestOf(file, this.#readFile) };
  }

  /** Events start the wait again, so that a file is not read half written; but a restless folder cannot put it off for ever. */
  #onEvent(): void {
    if (this.#pending !== undefined && this.#postponed >= MAX_POSTPONED) return;
    this.#postponed = this.#pending === undefined ? 0 : this.#postponed + 1;
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => {
      this.#pending = undefined;
      this.check();
    }, this.#debounceMs);
    this.#pending.unref();
  }

  #lookSoon(): void {
    if (
      this.#pending === undefined &&
      this.#files.some((file) => this.#seen.get(file)?.stamp !== stampOf(file))
    ) {
      this.#onEvent();
    }
  }

  /** The folders of the files, and of what their links lead to. */
  #watchFolders(): void {
    const wanted = new Set(this.#files.flatMap((file) => [dirname(file), dirname(realPathOf(file))]));
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) {
      if (!this.#folders.has(folder)) this.#watchFolder(folder);
    }
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#onEvent());
      // A folder that goes away, or a limit that is reached: the poll goes on.
      watcher.on('error', () => {
        watcher.close();
        this.#folders.delete(folder);
      });
      this.#folders.set(folder, watcher);
    } catch {
      // Not there yet, or too many watches on this machine: the poll does it alone.
    }
  }
}

interface Sight {
  /** Identity, size and times of the file that the path leads to. */
  readonly stamp: string;
  /** Of its content; the same for every file that cannot be read. */
  readonly digest: string;
}

function stampOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [realPathOf(file), dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return UNREADABLE;
  }
}

function digestOf(file: string, readFile: ReadFile): string {
  try {
    return digestOfBytes(readFile(file));
  } catch {
    return UNREADABLE;
  }
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

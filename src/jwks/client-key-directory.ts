import { type FSWatcher, opendirSync, watch } from 'node:fs';
import type { VerificationKey } from '../jwk/types.js';
import type { Clock, JsonObject, Logger } from '../ports.js';
import { ClientFiles } from './client-files.js';
import { hasCode } from './contained-file.js';

/** The keys of one client and what is said of it. */
export interface ClientKeys {
  /** Without a kid: each is to be tried for any kid whose algorithm fits. At most 16. */
  readonly keys: readonly VerificationKey[];
  /** Session parameters; they describe the client and never override a claim. */
  readonly session: JsonObject;
  /** Another number whenever keys or session parameters are other ones: what was verified under another must be verified again. */
  readonly generation: number;
}

/** A folder of keys by client, held in memory. */
export interface ClientKeyDirectory {
  /** How many clients have keys. */
  readonly size: number;

  /**
   * Looks a client up in memory; no file is touched.
   *
   * @param value untrusted; compared byte for byte, whatever the file system thinks of upper and lower case
   */
  find(value: string): ClientKeys | undefined;

  /** Looks at all files now. For tests, and for callers that cannot wait. */
  check(): void;

  close(): void;
}

/** Counts what went wrong with the files. */
export interface ClientKeyMetrics {
  /** A file was not used: its last good content is served, if there is one. */
  clientKeyFileRefused(): void;
}

/** Where the files are, and what is borrowed. */
export interface ClientKeyDirectoryOptions {
  /** Absolute, or relative to the process; trusted. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ClientKeyMetrics;
  /** How often all files are looked at, without being told, milliseconds. */
  readonly pollMs?: number;
}

const CLIENT = /^(?!\.)[A-Za-z0-9@._-]{1,128}$/;
const FILE = /^(.+)\.(?:pem|yaml)$/;
const SUFFIX = '.pem';

/** Each costs a look at two files with every poll. */
const MAX_CLIENTS = 10_000;
/** Of a folder so many entries are read at most, whatever they are. */
const MAX_ENTRIES = 100_000;
/** A changed file counts within two seconds: this, and some time to look. */
const DEFAULT_POLL_MS = 1000;
const DEBOUNCE_MS = 100;
/** So long a look may keep the event loop before it lets others go first, milliseconds. */
const SLICE_MS = 4;

/**
 * Opens a folder in which `VALUE.pem` holds the public keys of the client VALUE, and `VALUE.yaml` its session parameters.
 * What is there when it is opened is read before this returns. Later changes are found by events and by polling. A file
 * that cannot be read or parsed serves its last good content; a removed one is gone. The folder should be writable for
 * the operator alone: who can write to it can sign tokens.
 *
 * Does not judge whether a client may do something, and does not look at the dates of certificates.
 */
export function openClientKeyDirectory(options: ClientKeyDirectoryOptions): ClientKeyDirectory {
  return new WatchedDirectory(options);
}

class WatchedDirectory implements ClientKeyDirectory {
  private readonly files = new Map<string, ClientFiles>();
  private readonly clients = new Map<string, ClientKeys>();
  private readonly poll: NodeJS.Timeout;
  private generation = 0;
  private watcher: FSWatcher | undefined;
  private soon: NodeJS.Timeout | undefined;
  private running: Iterator<void> | undefined;
  private problem: string | undefined;

  constructor(private readonly options: ClientKeyDirectoryOptions) {
    this.check();
    this.poll = setInterval(() => this.start(), options.pollMs ?? DEFAULT_POLL_MS);
    this.poll.unref();
  }

  get size(): number {
    return this.clients.size;
  }

  find(value: string): ClientKeys | undefined {
    return CLIENT.test(value) ? this.clients.get(value) : undefined;
  }

  check(): void {
    this.running = undefined;
    const look = this.look();
    while (look.next().done !== true);
  }

  close(): void {
    clearInterval(this.poll);
    clearTimeout(this.soon);
    this.watcher?.close();
    this.running = undefined;
  }

  /** Looks at everything in slices, unless such a look is under way. */
  private start(): void {
    if (this.running !== undefined) return;
    const look = this.look();
    this.running = look;
    const slice = (): void => {
      const endMs = this.options.clock.now() + SLICE_MS;
      while (this.running === look) {
        if (look.next().done === true) this.running = undefined;
        else if (this.options.clock.now() >= endMs) return void setImmediate(slice);
      }
    };
    slice();
  }

  private *look(): Generator<void> {
    this.watch();
    const names = this.list();
    if (names === undefined) return;
    for (const value of this.files.keys()) {
      if (!names.has(value)) this.forget(value);
    }
    for (const [value, hasSession] of names) {
      this.refresh(value, hasSession);
      yield;
    }
  }

  private refresh(value: string, hasSession: boolean): void {
    let files = this.files.get(value);
    if (files === undefined) {
      files = new ClientFiles(this.options.dir, value, (file, reason) => this.refuse(file, reason));
      this.files.set(value, files);
    }
    if (!files.refresh(hasSession)) return;
    const { keys, session } = files;
    if (keys === undefined) this.clients.delete(value);
    else this.clients.set(value, Object.freeze({ keys, session, generation: ++this.generation }));
  }

  private forget(value: string): void {
    this.files.delete(value);
    this.clients.delete(value);
  }

  /** @returns the clients that have a file of keys, and whether there is one of session parameters; undefined: the folder cannot be read, and what is known stays */
  private list(): ReadonlyMap<string, boolean> | undefined {
    try {
      const names = readNames(this.options.dir);
      const values = [...names]
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length));
      const isFull = values.length > MAX_CLIENTS;
      this.note(isFull ? `more than ${MAX_CLIENTS} clients; the rest is not read` : undefined);
      const used = isFull ? values.sort().slice(0, MAX_CLIENTS) : values;
      return new Map(used.map((value) => [value, names.has(`${value}.yaml`)]));
    } catch (error) {
      const isGone = hasCode(error, 'ENOENT');
      this.note(isGone ? 'the folder is missing' : 'the folder cannot be read');
      return isGone ? new Map() : undefined;
    }
  }

  /** Events make changes count sooner; without them the poll finds all. */
  private watch(): void {
    if (this.watcher !== undefined) return;
    try {
      this.watcher = watch(this.options.dir, { persistent: false }, () => this.startSoon());
      this.watcher.on('error', () => this.unwatch());
    } catch {
      this.watcher = undefined;
    }
  }

  private unwatch(): void {
    this.watcher?.close();
    this.watcher = undefined;
  }

  private startSoon(): void {
    if (this.soon !== undefined) return;
    this.soon = setTimeout(() => {
      this.soon = undefined;
      this.start();
    }, DEBOUNCE_MS);
    this.soon.unref();
  }

  private refuse(file: string, reason: string): void {
    this.options.metrics.clientKeyFileRefused();
    this.options.logger.warn({ file, reason }, 'a file of the client keys is not used');
  }

  private note(problem: string | undefined): void {
    if (problem === undefined) {
      if (this.problem === 'the folder is missing') this.unwatch();
    } else if (problem !== this.problem) {
      this.options.metrics.clientKeyFileRefused();
      this.options.logger.error({ dir: this.options.dir, reason: problem }, 'client keys are not read');
    }
    this.problem = problem;
  }
}

/**
 * Names are taken from the listing and compared byte for byte: where the file system ignores case, opening a file by the
 * name of one client could bring that of another.
 *
 * @returns the names that may be those of a client's files
 * @throws the errors of node:fs
 */
function readNames(dir: string): ReadonlySet<string> {
  const names = new Set<string>();
  const folder = opendirSync(dir);
  try {
    for (let read = 0; read < MAX_ENTRIES; read++) {
      const entry = folder.readSync();
      if (entry === null) break;
      const match = FILE.exec(entry.name);
      if (match?.[1] !== undefined && CLIENT.test(match[1])) names.add(entry.name);
    }
    return names;
  } finally {
    folder.closeSync();
  }
}

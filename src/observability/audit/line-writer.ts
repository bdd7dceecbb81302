import { close, closeSync, open, openSync, write } from 'node:fs';

/** Where lines go. */
export type LineDestination = { readonly file: string } | { readonly fd: number };

/** How lines are written. */
export interface LineWriterOptions {
  /** Of a file that is created. */
  readonly mode: number;
  /** Bytes of one write; at least the longest line. */
  readonly maxWriteBytes: number;
  /** Bytes that may wait in memory. A line beyond them is lost. */
  readonly maxWaitingBytes: number;
  /** Called when writing or opening begins to fail. */
  onFailing(error: NodeJS.ErrnoException): void;
  /** Called when it works again. */
  onRecovered(): void;
}

/** Whole lines that are written together. */
interface Batch {
  text: string;
  lines: number;
}

/** How long after a failure it is tried again, milliseconds. A pipe that is full is asked sooner. */
const RETRY_MS = 1000;
const BUSY_RETRY_MS = 50;

/**
 * Writes lines of ASCII in batches, each with one call, while nobody waits for it. What cannot be written is kept and
 * tried again, within the bound.
 */
export class LineWriter {
  /** Lines that were given up. */
  lost = 0;
  readonly #batches: Batch[] = [];
  #waitingBytes = 0;
  #fd: number;
  #isBusy = false;
  #isFailing = false;
  #isClosed = false;
  #reopening = false;
  #whenIdle: (() => void) | undefined;

  /** @throws Error of node:fs when the file cannot be opened */
  constructor(
    private readonly destination: LineDestination,
    private readonly options: LineWriterOptions,
  ) {
    this.#fd = 'fd' in destination ? destination.fd : openSync(destination.file, 'a', options.mode);
  }

  /** @param line with its line break */
  write(line: string): void {
    if (this.#isClosed || this.#waitingBytes + line.length > this.options.maxWaitingBytes) {
      this.lost++;
      return;
    }
    this.#waitingBytes += line.length;
    const last = this.#batches.at(-1);
    const isOpen = last !== undefined && !(this.#isBusy && this.#batches.length === 1);
    if (isOpen && last.text.length + line.length <= this.options.maxWriteBytes) {
      last.text += line;
      last.lines++;
    } else {
      this.#batches.push({ text: line, lines: 1 });
    }
    this.#schedule();
  }

  /** Opens the file of that name; lines go there from then on. Nothing where it is no file. */
  reopen(): void {
    this.#reopening = true;
    this.#schedule();
  }

  /** Writes what waits, for so long at most, and closes. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      this.#schedule();
    });
    await Promise.race([idle, late]);
    clearTimeout(timer);
    for (const { lines } of this.#batches.splice(0)) this.lost += lines;
    if ('file' in this.destination && !this.#isBusy) closeSync(this.#fd);
  }

  /** At the end of the turn, so that the lines of a turn are one write. */
  #schedule(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    if (this.#reopening) {
      this.#reopening = false;
      this.#open();
      return;
    }
    const [batch] = this.#batches;
    if (batch === undefined) {
      this.#isBusy = false;
      this.#whenIdle?.();
      return;
    }
    this.#writeFrom(Buffer.from(batch.text, 'latin1'), 0);
  }

  #open(): void {
    if (!('file' in this.destination)) {
      this.#next();
      return;
    }
    open(this.destination.file, 'a', this.options.mode, (error, fd) => {
      if (error !== null) {
        // The file under its old name is better than none.
        this.options.onFailing(error);
        this.#next();
        return;
      }
      const old = this.#fd;
      this.#fd = fd;
      close(old, () => undefined);
      this.#next();
    });
  }

  #writeFrom(bytes: Buffer, start: number): void {
    write(this.#fd, bytes, start, bytes.length - start, null, (error, count) => {
      if (error !== null) {
        this.#failed(error, bytes, start);
        return;
      }
      if (start + count < bytes.length) {
        this.#writeFrom(bytes, start + count);
        return;
      }
      this.#written();
      this.#next();
    });
  }

  #written(): void {
    const batch = this.#batches.shift();
    this.#waitingBytes -= batch?.text.length ?? 0;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.options.onRecovered();
  }

  #failed(error: NodeJS.ErrnoException, bytes: Buffer, start: number): void {
    if (error.code === 'EAGAIN') {
      setTimeout(() => this.#writeFrom(bytes, start), BUSY_RETRY_MS).unref();
      return;
    }
    if (!this.#isFailing) {
      this.#isFailing = true;
      this.options.onFailing(error);
    }
    this.#keepWhole(bytes, start);
    setTimeout(() => this.#next(), RETRY_MS).unref();
  }

  /** A line that was cut in the middle is ended there, and written again as a whole. */
  #keepWhole(bytes: Buffer, start: number): void {
    const [batch] = this.#batches;
    if (batch === undefined || start === 0) return;
    const done = bytes.lastIndexOf('\n', start - 1) + 1;
    const rest = bytes.toString('latin1', done);
    const text = done === start ? rest : `\n${rest}`;
    this.#waitingBytes += text.length - batch.text.length;
    batch.lines = rest.split('\n').length - 1;
    batch.text = text;
  }
}

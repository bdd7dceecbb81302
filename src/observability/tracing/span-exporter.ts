/** Sends spans in batches. Nobody waits for it: what a collector does not take in time is dropped, and counted. */
import type { Cancel, Scheduler } from '../../jwks/ports.js';
import type { Logger } from '../../ports.js';
import type { Span } from './span.js';

/** How spans are sent. */
export interface SpanExporterOptions {
  /** Sends a batch. @throws Error when the collector did not take it */
  readonly send: (spans: readonly Span[]) => Promise<void>;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  /** Spans that may wait; 2048 unless a test says otherwise. */
  readonly maxWaiting?: number;
}

/** Takes finished spans. */
export interface SpanExporter {
  add(span: Span): void;
  /** Spans that were given up since the start. */
  readonly dropped: number;
  /** Spans that a collector took since the start. */
  readonly sent: number;
  /** Sends what waits, once. */
  close(): Promise<void>;
}

const MAX_WAITING = 2048;
const BATCH = 512;
const DELAY_MS = 1000;

/** Creates the exporter. Sends a second after the first span, or when a batch is full; one batch at a time. */
export function createSpanExporter(options: SpanExporterOptions): SpanExporter {
  return new BatchExporter(options);
}

class BatchExporter implements SpanExporter {
  dropped = 0;
  sent = 0;
  private readonly waiting: Span[] = [];
  private timer: Cancel | undefined;
  private sending: Promise<void> | undefined;
  private isFailing = false;
  private isClosed = false;

  constructor(private readonly options: SpanExporterOptions) {}

  add(span: Span): void {
    if (this.isClosed || this.waiting.length >= (this.options.maxWaiting ?? MAX_WAITING)) {
      this.dropped++;
      return;
    }
    this.waiting.push(span);
    if (this.waiting.length >= BATCH) this.flush();
    else this.timer ??= this.options.scheduler.after(DELAY_MS, () => this.flush());
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.sending;
    this.flush();
    await this.sending;
    this.timer?.();
    this.dropped += this.waiting.splice(0).length;
  }

  private flush(): void {
    this.timer?.();
    this.timer = undefined;
    if (this.sending !== undefined || this.waiting.length === 0) return;
    this.sending = this.sendBatch(this.waiting.splice(0, BATCH)).finally(() => {
      this.sending = undefined;
      if (this.waiting.length > 0 && !this.isClosed)
        this.timer ??= this.options.scheduler.after(this.isFailing ? DELAY_MS : 0, () => this.flush());
    });
  }

  /** A batch that is refused is not sent again: traces are worth less than memory. */
  private async sendBatch(batch: readonly Span[]): Promise<void> {
    const { log, send } = this.options;
    try {
      await send(batch);
      this.sent += batch.length;
      if (this.isFailing) log.info({ dropped: this.dropped }, 'the trace collector takes spans again');
      this.isFailing = false;
    } catch (error) {
      this.dropped += batch.length;
      const reason = error instanceof Error ? error.message : 'unknown';
      if (!this.isFailing) log.warn({ reason }, 'the trace collector does not take spans; they are dropped');
      this.isFailing = true;
    }
  }
}

/** Log lines: pino's JSON, or text for people. No field ever holds a credential. */
import type { AuditAdministration, Logger } from '../ports.js';
import { pino, stdTimeFunctions, type DestinationStream, type Logger as PinoLogger } from 'pino';

/** Levels that may be configured. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** A level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log whose level can be changed while it runs. */
export type RunningLog = PinoLogger &
  Required<Pick<Logger, 'decisions' | 'droppedLines'>> & {
    setFormat(format: LogOptions['format']): void;
    /** Set once there is an audit log. */
    audit?: AuditAdministration | undefined;
  };

/** How lines look. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Of one write, where others write whole lines to the same pipe. */
  readonly maxWriteBytes?: number;
}

/** Bytes that wait for a reader that does not keep up. Beyond them lines are dropped, and counted. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/**
 * Creates the log.
 *
 * @param destination where lines go; stdout unless a test says otherwise
 */
export function createLog(
  { level, format, maxWriteBytes }: LogOptions,
  destination?: DestinationStream,
): RunningLog {
  let droppedLines = 0;
  const out = destination ?? openDestination(1, () => droppedLines++, maxWriteBytes);
  const stream = new LineStream(out, format);
  const log = createPino(level, stream);
  return Object.defineProperties(log, {
    decisions: { value: log.child({}, { level: 'info' }) },
    droppedLines: { get: () => droppedLines },
    setFormat: { value: (next: LogOptions['format']) => (stream.format = next) },
  }) as RunningLog;
}

/** Takes over what a reload changed. A level that was set through the admin port stays until the file names another. */
export function applyLogConfig(
  log: RunningLog,
  { before, after }: { readonly before: LogOptions; readonly after: LogOptions },
): void {
  if (before.level !== after.level) log.level = after.level;
  log.setFormat(after.format);
}

/**
 * Opens a file descriptor for lines.
 *
 * @param onDrop called for each line that was given up because too many bytes wait
 */
export function openDestination(
  fd: number,
  onDrop: () => void,
  maxWrite?: number,
): ReturnType<typeof pino.destination> {
  // Not synchronous: a flood of denials must not wait for a terminal. What is buffered is flushed at the end.
  const out = pino.destination({
    dest: fd,
    sync: false,
    maxLength: MAX_WAITING_BYTES,
    ...(maxWrite === undefined ? {} : { maxWrite }),
  });
  out.on('drop', onDrop);
  return out;
}

function createPino(level: LogLevel, out: DestinationStream): PinoLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields },
    },
    out,
  );
}

/** An error's name, message and cause. No other property, because libraries attach anything, secrets included. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'not an error' };
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause === undefined ? {} : { cause: errorFields(cause) }) };
}

/** Lines as they come, or made readable; which of the two may change while it runs. */
class LineStream implements DestinationStream {
  constructor(
    private readonly out: DestinationStream,
    public format: LogOptions['format'],
  ) {}

  write(line: string): void {
    this.out.write(this.format === 'json' ? line : readable(line));
  }

  /** pino calls it when it is asked to flush. */
  flush(done?: (error?: Error) => void): void {
    if ('flush' in this.out) (this.out as { flush(done?: (error?: Error) => void): void }).flush(done);
    else done?.();
  }
}

/** One readable line from a JSON line. */
function readable(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [String(time), String(level).toUpperCase().padEnd(5), String(msg), ...rest].join(' ') + '\n';
}

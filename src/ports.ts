/**
 * What the outside lends to every part of the product: time, randomness and a log. They arrive as arguments,
 * so that a test can hold the clock still and read what was logged.
 */

/** The wall clock. */
export interface Clock {
  /** @returns milliseconds since the epoch */
  now(): number;
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => Date.now() };

/** Structured log lines. Fields must never hold a credential or a claim's value that was not asked for. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** For decision lines: its level is its own, so `log.level` does not hold them back. Absent: the log itself. */
  readonly decisions?: Pick<Logger, 'info' | 'error'>;
  /** How many lines could not be written because the reader of the log did not keep up. Absent: unknown. */
  readonly droppedLines?: number;
}

/** A log that keeps nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A JSON object as the strict reader makes it: no prototype, own properties only. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Is this value of parsed JSON an object, and neither a list nor null? Says nothing of its members. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

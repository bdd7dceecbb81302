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
  /** Takes acts of administration for the audit log. Absent: there is none. */
  readonly audit?: AuditAdministration | undefined;
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

/** An act of administration. Never a secret; the members are those of docs/audit.md. */
export interface AdministrationRecord {
  readonly action: string;
  readonly outcome: 'ok' | 'denied' | 'refused' | 'failed';
  /** The id of the token that authenticated. */
  readonly by?: string | undefined;
  readonly address?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly target?: string | undefined;
  readonly status?: number;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly clientId?: string | undefined;
  readonly kind?: string;
  readonly source?: string;
}

/** Writes an act of administration into the audit log. */
export type AuditAdministration = (record: AdministrationRecord) => void;

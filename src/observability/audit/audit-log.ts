/**
 * The audit log: one JSON line per decision and per act of administration, in a stream of its own. Writing never holds up
 * a decision: lines wait in memory, bounded, and what does not fit is counted.
 */
import type { Decision } from '../../authz/types.js';
import type { AdministrationRecord, AuditAdministration, Clock, Logger } from '../../ports.js';
import { describeValue } from '../redact.js';
import { formatAuditLine, MAX_LINE_BYTES } from './audit-line.js';
import { createDecisionRecord } from './audit-record.js';
import { LineWriter } from './line-writer.js';

/** `audit`: a file by its absolute path, or standard output. */
export type AuditDestination = { readonly file: string } | { readonly stdout: true };

/** A running audit log. */
export interface AuditLog {
  decided(decision: Decision): void;
  readonly administered: AuditAdministration;
  /** Opens the file again by its name, after somebody renamed it. */
  reopen(): void;
  /** Lines that were given up since the start. */
  readonly lostLines: number;
  /** Writes what waits, for a second at most. */
  close(): Promise<void>;
}

/** What lends it time, and where its own trouble is reported. */
export interface AuditLogParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes that may wait in memory; 8 MiB unless a test says otherwise. */
  readonly maxWaitingBytes?: number;
}

const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** One write per batch of whole lines. With O_APPEND the lines of several processes do not mix. */
const FILE_BATCH_BYTES = 64 * 1024;
/** Who came when is nobody else's business. */
const FILE_MODE = 0o600;
const CLOSE_MS = 1000;
const STDOUT = 1;

/**
 * Opens the audit log.
 *
 * @returns undefined where none is configured
 * @throws Error when the file cannot be opened: a reason not to start
 */
export function openAuditLog(
  destination: AuditDestination | undefined,
  parts: AuditLogParts,
): AuditLog | undefined {
  if (destination === undefined) return undefined;
  const { clock } = parts;
  const writer = openWriter(destination, parts);
  const describe = createDecisionRecord();
  return {
    decided: (decision) => writer.write(formatAuditLine(describe(decision))),
    administered: (record) => writer.write(formatAuditLine(describeAdministration(record, clock))),
    reopen: () => writer.reopen(),
    get lostLines() {
      return writer.lost;
    },
    close: () => writer.close(CLOSE_MS),
  };
}

function openWriter(
  destination: AuditDestination,
  { log, maxWaitingBytes = MAX_WAITING_BYTES }: AuditLogParts,
): LineWriter {
  const isFile = 'file' in destination;
  try {
    const writer: LineWriter = new LineWriter(isFile ? { file: destination.file } : { fd: STDOUT }, {
      mode: FILE_MODE,
      maxWriteBytes: isFile ? FILE_BATCH_BYTES : MAX_LINE_BYTES,
      maxWaitingBytes,
      onFailing: ({ code }) => log.error({ code }, 'the audit log cannot be written or opened again'),
      onRecovered: () => log.warn({ lostLines: writer.lost }, 'the audit log is written again'),
    });
    return writer;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new Error(`audit.file cannot be opened (${code})`, { cause: error });
  }
}

function describeAdministration(record: AdministrationRecord, clock: Clock): object {
  const described = Object.entries(record).map(([name, value]): [string, unknown] => [
    name,
    describeValue(value),
  ]);
  return Object.assign(
    { time: new Date(clock.now()).toISOString(), type: 'administration' },
    Object.fromEntries(described),
  );
}

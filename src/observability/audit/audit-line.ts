import type { AuditRecord } from './audit-fields.js';

/** A pipe takes so many bytes as a whole, whoever else writes to it (POSIX PIPE_BUF on Linux). */
export const MAX_LINE_BYTES = 4096;
const SHORT_TEXT = 48;
const NOT_ASCII = /[^\x20-\x7e]/g;

/**
 * Writes a record as one line of JSON in ASCII, so that its length in characters is its length in bytes, and no reader is
 * misled by characters that it shows in another way.
 *
 * @returns at most MAX_LINE_BYTES, with the line break
 */
export function formatAuditLine(record: AuditRecord): string {
  const line = toAscii(JSON.stringify(record));
  if (line.length < MAX_LINE_BYTES) return `${line}\n`;
  return `${toAscii(JSON.stringify({ ...record, shortened: true }, shorten))}\n`;
}

/** Every text is cut, so that any record fits: the members are few, and lists in it are bounded. */
function shorten(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > SHORT_TEXT ? `${value.slice(0, SHORT_TEXT)}…` : value;
}

function toAscii(text: string): string {
  return text.replace(
    NOT_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

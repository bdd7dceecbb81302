/** A header field: name and value, each octet one character (latin1). */
export type HeaderField = readonly [name: string, value: string];

/** What an entry of a table, or a field of a list, is charged beside its octets. */
const ENTRY_OVERHEAD = 32;

/**
 * @returns the size of a field in octets, as tables and SETTINGS_MAX_HEADER_LIST_SIZE count it
 * @see https://www.rfc-editor.org/rfc/rfc7541#section-4.1
 */
export function fieldSize([name, value]: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

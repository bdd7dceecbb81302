/** Durations and sizes as the configuration file spells them. */

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

/** What a duration looks like; the JSON Schema shows it to editors. */
export const DURATION_PATTERN = /^(\d{1,10})(ms|s|m|h)$/;
const SIZE_PATTERN = /^(\d{1,12})(B|KiB|MiB|GiB)?$/;

/**
 * Parses a duration such as `500ms`, `30s`, `5m` or `24h`. Whole numbers and one unit; no sums, no fractions.
 *
 * @param text from the configuration file
 * @returns milliseconds; undefined where it is no duration
 */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION_PATTERN.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

/**
 * Parses a size such as `8192`, `64KiB` or `1MiB`. A number without unit counts bytes; decimal units (kB, MB) are
 * refused, because half of their users mean the binary ones.
 *
 * @param value from the configuration file
 * @returns bytes; undefined where it is no size
 */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const [, count, unit] = SIZE_PATTERN.exec(value) ?? [];
  if (count === undefined) return undefined;
  const bytes = Number(count) * BYTES[(unit ?? 'B') as keyof typeof BYTES];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

import type { KeySetSettings, RandomFraction } from './ports.js';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** A refresh never follows another more closely than this, whatever ages and settings say. */
const SHORTEST_REFRESH_MS = 500;

/**
 * How long to wait after a failure: doubled each time, never longer than half a minute or, where that is shorter, the
 * cooldown; half of it random, so that replicas do not come back all at once.
 *
 * @param failures in a row, at least 1
 * @param options the present settings and a source of randomness
 * @returns milliseconds
 */
export function retryDelayMs(
  failures: number,
  { settings, random }: { readonly settings: KeySetSettings; readonly random: RandomFraction },
): number {
  const longestMs = Math.min(LONGEST_RETRY_MS, Math.max(FIRST_RETRY_MS, settings.cooldownMs));
  const delayMs = Math.min(longestMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(delayMs * (0.5 + random() / 2));
}

/**
 * When to refresh a set that expires: after 75 to 90 % of its life, so that it is replaced before it ends.
 *
 * @param lifetime when it was fetched and when it expires, and the time now, milliseconds since the epoch
 * @returns milliseconds from now
 */
export function refreshDelayMs(
  lifetime: { readonly fetchedAtMs: number; readonly expiresAtMs: number; readonly nowMs: number },
  random: RandomFraction,
): number {
  const { fetchedAtMs, expiresAtMs, nowMs } = lifetime;
  const dueMs = fetchedAtMs + (expiresAtMs - fetchedAtMs) * (0.75 + random() * 0.15);
  return Math.max(SHORTEST_REFRESH_MS, Math.round(dueMs - nowMs));
}

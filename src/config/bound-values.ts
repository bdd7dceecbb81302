/**
 * What keys that are bound at the start were set to, by dotted path: digests, so that no secret is kept. Two
 * configurations differ in such a key where the digests do.
 */
export type BoundValues = Readonly<Record<string, string>>;

/** @returns the dotted paths of keys that were changed and take effect at the next start only */
export function changedAtRestart(started: BoundValues, now: BoundValues): string[] {
  return Object.keys(started).filter((path) => started[path] !== now[path]);
}

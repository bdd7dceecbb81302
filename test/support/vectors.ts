import { readFileSync } from 'node:fs';

/** Reads public vectors; their source and licence are in the file. */
export function readVectors(name: string): unknown {
  const url = new URL(`../conformance/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'));
}

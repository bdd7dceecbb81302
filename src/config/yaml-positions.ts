import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { ConfigPath, Position } from './problems.js';

/**
 * Finds where a path stands in the file: its key, or the entry of a list. Where the path itself is not there, as with a
 * key that is missing, it is the nearest thing above it.
 *
 * @param document parsed without errors
 * @param path of a problem
 * @returns undefined for the root
 */
export function locate(document: Document, lines: LineCounter, path: ConfigPath): Position | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    const [place, value] = step(node, part);
    if (place === undefined) break;
    offset = place.range?.[0] ?? offset;
    node = value;
  }
  if (offset === undefined) return undefined;
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** @returns the node that marks the place of this part, and its value */
function step(node: unknown, part: PropertyKey): [place: Node | undefined, value?: unknown] {
  if (isSeq(node)) {
    const item = node.items[Number(part)];
    return [item as Node | undefined, item];
  }
  if (!isMap(node)) return [undefined];
  // The last one, which is the one that is wrong where a key is given twice.
  const pair = node.items.findLast((one) => isPair(one) && isScalar(one.key) && keyOf(one.key) === part);
  return [pair?.key as Node | undefined, pair?.value];
}

function keyOf({ value, source }: { readonly value: unknown; readonly source?: string }): string {
  return typeof value === 'string' ? value : (source ?? JSON.stringify(value));
}

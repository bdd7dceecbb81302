/**
 * Which request headers a condition reads. Upstreams may take `x_tenant` for `x-tenant`, so what was judged under one
 * name must not stand beside another spelling of it.
 */
import type { ASTNode } from '@marcbachmann/cel-js';

/** What Envoy calls headers, in lower case. */
const HEADER_NAME = /^[a-z0-9][a-z0-9_.-]*$/;

/**
 * The headers that a condition names. Where it reads `request.headers`, every text in it that could be the name of a
 * header counts, so that a list of names in a loop is seen as well. A name that comes out of a claim is not seen.
 *
 * @param root a parsed expression
 * @returns names in lower case, each once; empty where `request.headers` is not read
 */
export function headersReadBy(root: ASTNode): readonly string[] {
  const found = { names: new Set<string>(), readsHeaders: false };
  collect(root, found);
  return found.readsHeaders ? [...found.names] : [];
}

interface Found {
  readonly names: Set<string>;
  readsHeaders: boolean;
}

function collect(part: unknown, found: Found): void {
  if (Array.isArray(part)) {
    for (const member of part) collect(member, found);
    return;
  }
  if (!isNode(part)) return;
  if (part.op === 'value') {
    addName(part.args, found);
    return;
  }
  if (part.op === '.' || part.op === '.?') {
    const [receiver, field] = part.args;
    if (field === 'headers') found.readsHeaders = true;
    if (isHeaders(receiver)) addName(field, found);
  }
  collect(part.args, found);
}

function isHeaders({ op, args }: ASTNode): boolean {
  return (op === '.' || op === '.?') && args[1] === 'headers';
}

function addName(text: unknown, { names }: Found): void {
  if (typeof text === 'string' && text.length <= 128 && HEADER_NAME.test(text)) names.add(text);
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part;
}

import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
} from 'yaml';
import { ConfigError, type ConfigPath, type Locate, type ProblemReport } from './problems.js';
import { locate } from './yaml-positions.js';
import { explainSyntaxError } from './yaml-syntax.js';

/** Deeper than any configuration, and shallow enough for every recursion over it. */
const MAX_DEPTH = 48;
/** What aliases may unfold to. */
const MAX_NODES = 500_000;

/** Duplicate keys are found by TreeBuilder, which knows their paths and does not need quadratic time for it. */
const OPTIONS = {
  schema: 'core',
  prettyErrors: false,
  uniqueKeys: false,
  resolveKnownTags: false,
  logLevel: 'silent',
} as const;

/** What was read. */
export interface ParsedYaml {
  /** Mappings without prototype, lists, strings, numbers, booleans, null. */
  readonly tree: unknown;
  /** Where a path stands in the text, or the nearest thing above it. */
  readonly locate: Locate;
}

/**
 * Parses YAML 1.2 or JSON into plain data. A key that is given twice is an error, and so is whatever would need more
 * than plain data: custom tags, keys that are no strings, several documents, cyclic or exploding aliases.
 *
 * @param text the file, untrusted in shape
 * @param file its name, for messages
 * @param report gets what is wrong but leaves the rest readable, such as a key given twice
 * @throws ConfigError with line and column for a text that cannot be read at all
 */
export function parseYaml(text: string, file: string, report: ProblemReport): ParsedYaml {
  const lines = new LineCounter();
  const fail = (offset: number | undefined, problem: string): never => {
    const { line, col } = offset === undefined ? { line: 1, col: 1 } : lines.linePos(offset);
    throw new ConfigError([{ path: `${file}:${line}:${col}`, text: problem }]);
  };
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  // The composer is recursive, and running out of stack inside it can end the process; the parser is not.
  if (isTooDeep(tokens)) return fail(undefined, `nested too deeply; ${MAX_DEPTH} levels are enough`);
  const documents = [...new Composer(OPTIONS).compose(tokens)];
  const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (errors.length > 0) {
    const { line, column, text: problem } = explainSyntaxError(errors, { text, tokens, lines });
    throw new ConfigError([{ path: `${file}:${line}:${column}`, text: problem }]);
  }
  const [first, second] = documents;
  if (second !== undefined) fail(second.range[0], 'more than one document; a configuration is one');
  if (first?.contents === undefined || first.contents === null) return fail(undefined, 'the file is empty');
  const tree = new TreeBuilder(first, report, fail).build(first.contents, []);
  return { tree, locate: (path) => locate(first, lines, path) };
}

/** Walks the syntax tree with a list instead of the stack. */
function isTooDeep(tokens: readonly unknown[]): boolean {
  // A level of the file is at most three of the syntax tree: a collection, its item, its value.
  const deepest = MAX_DEPTH * 3;
  const waiting = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.depth > deepest) return true;
    const { items, key, value } = next.token as { items?: unknown[]; key?: unknown; value?: unknown };
    const depth = next.depth + 1;
    for (const child of items ?? []) if (isObject(child)) waiting.push({ token: child, depth });
    if (isObject(key)) waiting.push({ token: key, depth });
    if (isObject(value)) waiting.push({ token: value, depth });
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

type Fail = (offset: number | undefined, problem: string) => never;

/** Turns the document into plain data. */
class TreeBuilder {
  #nodes = 0;

  constructor(
    private readonly document: Document,
    private readonly report: ProblemReport,
    private readonly fail: Fail,
  ) {}

  build(node: unknown, path: ConfigPath): unknown {
    const offset = (node as Node | null)?.range?.[0];
    if (++this.#nodes > MAX_NODES || path.length > MAX_DEPTH)
      this.fail(offset, 'too many or too deeply nested values; does an alias hold itself?');
    if (isAlias(node))
      return this.build(
        node.resolve(this.document) ?? this.fail(offset, 'an alias without its anchor'),
        path,
      );
    if (isSeq(node)) return node.items.map((item, index) => this.build(item, [...path, index]));
    if (isMap(node)) return this.#mapping(node.items, path);
    return isScalar(node) ? node.value : null;
  }

  #mapping(pairs: readonly Pair[], path: ConfigPath): unknown {
    const tree = Object.create(null) as Record<string, unknown>;
    for (const pair of pairs) {
      const key = this.#key(pair);
      const at = [...path, key];
      if (Object.hasOwn(tree, key)) this.report.close(at, 'is given twice; a key may be given once');
      // No name of anything, and the one key that schemas and copies may pass over in silence.
      if (key === '__proto__') this.report.close(at, 'unknown key');
      else tree[key] = this.build(pair.value, at);
    }
    return tree;
  }

  #key({ key }: Pair): string {
    if (!isScalar(key) || key.value === null)
      return this.fail((key as Node | null)?.range?.[0], 'a key must be a plain word');
    return typeof key.value === 'string' ? key.value : (key.source ?? JSON.stringify(key.value));
  }
}

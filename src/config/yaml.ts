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
  type YAMLError,
} from 'yaml';
import { ConfigError, type ConfigPath, type ProblemReport } from './problems.js';

/** Deeper than any configuration, and shallow enough for every recursion over it. */
const MAX_DEPTH = 48;
/** What aliases may unfold to. */
const MAX_NODES = 500_000;

/** The parser's codes in words of our own: its messages quote the file, and so could show a secret. */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_INDENT: 'wrong indentation',
  TAB_AS_INDENT: 'tabs can not indent YAML; use spaces',
  BLOCK_IN_FLOW: 'a bracket or brace is not closed',
  MISSING_CHAR: 'a quote, comma, colon or bracket is missing',
  UNEXPECTED_TOKEN: 'something stands here that does not belong here',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; is a colon or a quote missing?',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping can not start here; is the value to be quoted?',
  BAD_DQ_ESCAPE: 'an unknown escape in a double-quoted string; use single quotes for a plain backslash',
  BAD_SCALAR_START: 'a value that starts with this character must be quoted',
  BAD_ALIAS: 'an alias without a name, or where none can be',
  TAG_RESOLVE_FAILED: 'tags are not supported; only plain YAML 1.2 and JSON',
  MULTIPLE_DOCS: 'more than one document; a configuration is one',
};

/** Duplicate keys are found by TreeBuilder, which knows their paths and does not need quadratic time for it. */
const OPTIONS = {
  schema: 'core',
  prettyErrors: false,
  uniqueKeys: false,
  resolveKnownTags: false,
  logLevel: 'silent',
} as const;

/**
 * Parses YAML 1.2 or JSON into plain data: mappings without prototype, lists, strings, numbers, booleans, null.
 * A key that is given twice is an error, and so is whatever would need more than plain data: custom tags, keys that
 * are no strings, several documents, cyclic or exploding aliases.
 *
 * @param text the file, untrusted in shape
 * @param file its name, for messages
 * @param report gets what is wrong but leaves the rest readable, such as a key given twice
 * @throws ConfigError with line and column for a text that can not be read at all
 */
export function parseYaml(text: string, file: string, report: ProblemReport): unknown {
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
  if (errors.length > 0) throw new ConfigError(syntaxProblems(errors, file, lines));
  const [first, second] = documents;
  if (second !== undefined) fail(second.range[0], SYNTAX.MULTIPLE_DOCS ?? '');
  if (first?.contents === undefined || first.contents === null) return fail(undefined, 'the file is empty');
  return new TreeBuilder(first, report, fail).build(first.contents, []);
}

function syntaxProblems(
  errors: readonly YAMLError[],
  file: string,
  lines: LineCounter,
): { path: string; text: string }[] {
  return errors.slice(0, 20).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { path: `${file}:${line}:${col}`, text: SYNTAX[error.code] ?? 'this is neither YAML nor JSON' };
  });
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

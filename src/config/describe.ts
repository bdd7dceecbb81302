import { stringify } from 'yaml';
import { createDocumentationSchema, type JsonSchema } from './json-schema.js';

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run docs\`. Do not edit. -->

One YAML 1.2 or JSON file, given with \`--config\`. \`portcullis validate --config FILE\` reports every problem,
one per line, with line and column; \`portcullis schema\` prints its JSON Schema for editors
([how to](cli.md#schema)).

- Unknown keys, keys given twice and values of another type are errors. So is what this version does not do yet:
  it is refused, never ignored.
- A **duration** is a whole number with a unit: \`500ms\`, \`30s\`, \`5m\`, \`24h\`.
- A **size** is a number of bytes, or a whole number with a unit: \`8192\`, \`64KiB\`, \`1MiB\`, \`1GiB\`.
- Any string may hold \`\${env:NAME}\` and \`\${file:/path}\`, also several. What they stand for is trimmed, and not looked
  at again; a missing one is an error that names it. \`$\${\` stands for \`\${\`. Keys are never filled in.
- Paths are relative to the folder of the configuration file. Files that are named (keys, certificates) are read
  when the configuration is loaded.
- The file is read again when it or a file that it names changes, and on SIGHUP. A bad file changes nothing; the log
  says why, and \`portcullis_config_reloads_total{outcome="failure"}\` grows.
- **Applies** says when a change takes effect: \`live\` with the reload, \`restart\` at the next start, and the reload warns.
- Messages never show a value of the file, since any value may be a secret.

The smallest file that works:

\`\`\`yaml
issuers:
  - issuer: https://login.example.com
    audiences: [https://api.example.com]
\`\`\`
`;

/**
 * Writes the configuration reference from the schema.
 *
 * @returns Markdown
 */
export function describeConfig(): string {
  const { properties = {}, required = [] } = createDocumentationSchema();
  const sections = Object.entries(properties).map(([name, schema]) =>
    describeSection(name, schema, required.includes(name)),
  );
  return [INTRODUCTION, ...sections].join('\n');
}

function describeSection(name: string, schema: JsonSchema, isRequired: boolean): string {
  // The keys of a plain mapping say all that there is to say.
  const [own, ...below] = rowsOf({ path: name, name, schema, isRequired });
  const rows = schema.properties === undefined && own !== undefined ? [own, ...below] : below;
  const head = ['| key | type | default | applies | meaning | example |', '|---|---|---|---|---|---|'];
  const body = rows.map((row) => `| ${row.map(escapeCell).join(' | ')} |`);
  return [`## ${name}`, '', schema.description ?? '', '', ...head, ...body, ''].join('\n');
}

type Row = readonly [
  key: string,
  type: string,
  fallback: string,
  applies: string,
  meaning: string,
  example: string,
];

interface Key {
  readonly path: string;
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** A row for the key, and one for each key below it. */
function* rowsOf({ path, name, schema, isRequired }: Key): Generator<Row> {
  const example = inYaml({ [name]: exampleOf(schema) }).replace(/^\{|\}$/g, '');
  yield [
    `\`${path}\``,
    typeOf(schema),
    defaultOf(schema, isRequired),
    appliesOf(schema),
    schema.description ?? '',
    `\`${example}\``,
  ];
  for (const [below, { properties = {}, required = [] }] of branchesOf(path, schema)) {
    for (const [key, member] of Object.entries(properties)) {
      yield* rowsOf({
        path: `${below}.${key}`,
        name: key,
        schema: member,
        isRequired: required.includes(key),
      });
    }
  }
}

/** A mapping has no time of its own, unless its presence has one. */
function appliesOf(schema: JsonSchema): string {
  const applies = schema['x-applies'];
  if (applies === 'presence') return 'live; on or off: restart';
  if (applies !== undefined) return applies;
  return schema.properties === undefined ? 'live' : '';
}

/** The mappings in a value: itself, its entries, or its forms. */
function* branchesOf(path: string, schema: JsonSchema): Generator<readonly [string, JsonSchema]> {
  if (schema.properties !== undefined) yield [path, schema];
  if (schema.items !== undefined) yield* branchesOf(`${path}[]`, schema.items);
  if (typeof schema.additionalProperties === 'object')
    yield* branchesOf(`${path}.*`, schema.additionalProperties);
  for (const form of formsOf(schema)) yield* branchesOf(path, form);
}

function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ?? schema.oneOf ?? [];
}

function typeOf(schema: JsonSchema): string {
  const { type, items, additionalProperties } = schema;
  const words = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (words !== undefined) return words.map((word) => `\`${String(word)}\``).join(', ');
  if (schema['x-kind'] !== undefined) return withBounds(schema['x-kind'], schema['x-bounds']);
  if (formsOf(schema).length > 0) return [...new Set(formsOf(schema).map(typeOf))].join(' or ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ type: one as string })).join(' or ');
  if (type === 'array') return items === undefined ? 'list' : `list of ${typeOf(items)}`;
  if (type === 'object')
    return isDictionary(additionalProperties) ? `mapping to ${typeOf(additionalProperties)}` : 'mapping';
  if (type === 'integer')
    return withBounds('whole number', `${schema.minimum ?? ''} to ${schema.maximum ?? ''}`);
  return type === 'boolean' ? '`true`, `false`' : type === 'string' ? 'text' : String(type);
}

function isDictionary(additional: JsonSchema['additionalProperties']): additional is JsonSchema {
  return typeof additional === 'object' && Object.keys(additional).length > 0;
}

function withBounds(kind: string, bounds: string | undefined): string {
  return bounds === undefined ? kind : `${kind}, ${bounds}`;
}

function defaultOf(schema: JsonSchema, isRequired: boolean): string {
  if (isRequired) return '**required**';
  return schema.default === undefined || isEmpty(schema.default) ? '' : `\`${inYaml(schema.default)}\``;
}

/** An empty mapping as default says only that the defaults below it hold. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** What is written down, or a value that differs from the default, or that. */
function exampleOf(schema: JsonSchema): unknown {
  const { properties = {}, type } = schema;
  if ('x-example' in schema) return schema['x-example'];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum.find((word) => word !== schema.default);
  if (type === 'boolean') return schema.default !== true;
  if (schema.default !== undefined && !isEmpty(schema.default)) return schema.default;
  if (schema.items !== undefined) return [exampleOf(schema.items)];
  if (isDictionary(schema.additionalProperties)) return { name: exampleOf(schema.additionalProperties) };
  const shown = Object.entries(properties).filter(
    ([name], index) => (schema.required ?? []).includes(name) || index === 0,
  );
  return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(member)]));
}

function inYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

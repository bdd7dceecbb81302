import { z } from 'zod';
import { configSchema } from './schema.js';

/** A node of a JSON Schema, as far as it is read here. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly 'x-kind'?: string;
  readonly 'x-bounds'?: string;
  readonly 'x-example'?: unknown;
  readonly 'x-applies'?: string;
  readonly [key: string]: unknown;
}

/** Names the schema; nothing is served there. */
const SCHEMA_ID = 'urn:portcullis:configuration';

/** Somebody must issue the tokens: others, or we. */
const SOURCES_OF_TOKENS = [
  { required: ['issuers'], properties: { issuers: { minItems: 1 } } },
  { required: ['tokens'] },
];

/**
 * The JSON Schema (2020-12) of the file as people write it, for editors. It says what one key may be; what needs two
 * keys, only `portcullis validate` checks.
 */
export function createJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input', reused: 'inline' }) as JsonSchema;
  const { $schema, ...rest } = forEditors(schema);
  return { $schema, $id: SCHEMA_ID, title: 'Portcullis configuration', ...rest, anyOf: SOURCES_OF_TOKENS };
}

/** The schema as the reference page needs it: with `x-kind`, `x-bounds` and `x-example`. */
export function createDocumentationSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input', reused: 'inline' }) as JsonSchema;
}

/** Our own words for documentation (`x-…`) are not keywords of JSON Schema. */
function forEditors(schema: JsonSchema): JsonSchema {
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    const keywords = Object.entries(node).filter(([name]) => !name.startsWith('x-'));
    const copy = Object.fromEntries(keywords.map(([name, member]) => [name, walk(member)]));
    return 'x-example' in node ? { ...copy, examples: [node['x-example']] } : copy;
  };
  return walk(schema) as JsonSchema;
}

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { describeConfig } from '../../src/config/describe.js';
import {
  createDocumentationSchema,
  createJsonSchema,
  type JsonSchema,
} from '../../src/config/json-schema.js';
import { problemsOf } from './config-file.js';

interface Key {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** Every key of a schema, through lists, mappings and forms. */
function* keysOf(schema: JsonSchema, path = ''): Generator<Key> {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const below = path === '' ? name : `${path}.${name}`;
    yield { path: below, schema: member };
    yield* keysOf(member, below);
  }
  const { items, additionalProperties, anyOf = [], oneOf = [] } = schema;
  if (items !== undefined) yield* keysOf(items, `${path}[]`);
  if (typeof additionalProperties === 'object') yield* keysOf(additionalProperties, `${path}.*`);
  for (const form of [...anyOf, ...oneOf]) yield* keysOf(form, path);
}

const KEYS = [...keysOf(createDocumentationSchema())];

describe('describeConfig()', () => {
  test('is what docs/configuration.md says', () => {
    expect(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')).toBe(
      describeConfig(),
    );
  });

  test('has a row for every key, and no other', () => {
    const rows = [...describeConfig().matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key);
    const keys = KEYS.filter(({ path, schema }) => path.includes('.') || schema.properties === undefined);
    expect(rows.sort()).toEqual(keys.map(({ path }) => path).sort());
    expect(rows.length).toBeGreaterThan(100);
  });

  test('says something of every key', () => {
    expect(KEYS.filter(({ schema }) => (schema.description ?? '') === '').map(({ path }) => path)).toEqual(
      [],
    );
  });

  test('leaves no example open', () => expect(describeConfig()).not.toMatch(/…`|\| `` \|/));

  test('shows examples that are accepted', () => {
    const examples = Object.entries(createJsonSchema().properties ?? {}).flatMap(([name, section]) =>
      ((section.examples as unknown[] | undefined) ?? []).map((example) => ({ [name]: example })),
    );
    for (const draft of examples) expect(problemsOf(draft)).toEqual([]);
  });
});

describe('createJsonSchema()', () => {
  const schema = createJsonSchema();

  test('knows the sections and forbids all else', () => {
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(schema.anyOf).toMatchObject([{ required: ['issuers'] }, { required: ['tokens'] }]);
    expect(Object.keys(schema.properties ?? {})).toEqual(
      expect.arrayContaining([
        'server',
        'issuers',
        'jwks',
        'dpop',
        'policies',
        'routes',
        'identity',
        'tokens',
        'log',
      ]),
    );
  });

  test('forbids unknown keys at every level', () => {
    const open = [...keysOf(schema)].filter(
      ({ schema: one }) => one.properties !== undefined && one.additionalProperties !== false,
    );
    expect(open).toEqual([]);
  });

  test('holds no keyword of our own', () =>
    expect(JSON.stringify(schema)).not.toMatch(/"x-(?!user|access|tenant|portcullis)/));

  test('carries defaults as people write them', () => {
    expect(schema.properties?.jwks?.properties?.timeout).toMatchObject({
      default: '5s',
      type: 'string',
    });
  });
});

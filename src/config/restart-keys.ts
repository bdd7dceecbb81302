import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { BoundValues } from './bound-values.js';
import type { Applies } from './fields.js';
import { configSchema } from './schema.js';

/** A key whose change takes effect at the next start, as its path of names. */
export interface RestartKey {
  readonly path: readonly string[];
  readonly applies: Exclude<Applies, 'live'>;
}

/** The keys of the schema that `appliesAt()` marks. */
export function restartKeys(): RestartKey[] {
  return [...markedKeys(configSchema, [])];
}

/** The parts of a zod schema that lead to its keys. */
interface Definition {
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

function* markedKeys(schema: z.ZodType, path: readonly string[]): Generator<RestartKey> {
  const applies = schema.meta()?.['x-applies'] as RestartKey['applies'] | undefined;
  if (applies !== undefined) yield { path, applies };
  const { innerType, in: input, shape } = schema.def as Definition;
  if (innerType !== undefined) yield* markedKeys(innerType, path);
  if (input !== undefined) yield* markedKeys(input, path);
  for (const [name, member] of Object.entries(shape ?? {})) yield* markedKeys(member, [...path, name]);
}

/** @param config a configuration or its plain copy */
export function boundValuesOf(config: object): BoundValues {
  return Object.fromEntries(
    restartKeys().map(({ path, applies }) => {
      const value = path.reduce<unknown>(
        (at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name],
        config,
      );
      return [path.join('.'), digestOf(applies === 'presence' ? value !== undefined : value)];
    }),
  );
}

function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([value]))
    .digest('base64');
}

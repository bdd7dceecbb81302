import type { ConfigPath } from './problems.js';

/** A mapping of the file: own keys only, no prototype, so that `constructor` is a key like any other. */
export type ConfigTree = Readonly<Record<string, unknown>>;

/**
 * A value of the file with its path. Reading never throws and never guesses: what has another type than was asked
 * for is treated as absent, since the schema has reported it already. So the checks across sections run on a file
 * that has other mistakes, and every mistake is reported at once.
 */
export class ConfigValue {
  constructor(
    readonly value: unknown,
    readonly path: ConfigPath = [],
  ) {}

  /** Is there anything here? */
  get exists(): boolean {
    return this.value !== undefined;
  }

  /** The value where it is a string. */
  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  /** The node below a key; a node without value where there is none. */
  get(key: string): ConfigValue {
    const tree = asTree(this.value);
    return new ConfigValue(tree !== undefined && Object.hasOwn(tree, key) ? tree[key] : undefined, [
      ...this.path,
      key,
    ]);
  }

  /** The keys of a mapping. */
  keys(): string[] {
    return Object.keys(asTree(this.value) ?? {});
  }

  /** The members of a list, or of a mapping. */
  items(): ConfigValue[] {
    if (Array.isArray(this.value))
      return this.value.map((item, index) => new ConfigValue(item, [...this.path, index]));
    return this.keys().map((key) => this.get(key));
  }

  /** The strings of a list. */
  texts(): string[] {
    return this.items().flatMap((item) => item.text ?? []);
  }
}

/** @returns the value where it is a mapping */
export function asTree(value: unknown): ConfigTree | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as ConfigTree)
    : undefined;
}

import { Denial } from '../../authz/denial.js';
import type { RequestHeaders } from '../../authz/types.js';
import type { WireReader } from './wire/reader.js';

/** Most header fields in one request. Envoy's own default limit is 100. */
const MAX_HEADERS = 1000;

/**
 * Headers by lower-case name. A request has about twenty of them, and a decision reads two or three: names are compared
 * one by one, and values stay bytes until they are read.
 */
export class HeaderBag implements RequestHeaders {
  private readonly fieldNames: string[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  /** `:path` as it came, a character for each byte; undefined: not there, or there twice. */
  target: string | undefined;
  targets = 0;

  constructor(private readonly message: WireReader) {}

  /** Notes a `:path`, which is not a header, but the only place that has its true bytes. */
  addTarget(start: number, end: number): void {
    this.target = this.targets++ === 0 ? this.message.oneByteAt(start, end) : undefined;
  }

  /** Adds a field by the place of its value in the message. @throws Denial malformed_request past the bound */
  add(name: string, start: number, end: number): void {
    if (this.fieldNames.length >= MAX_HEADERS) throw new Denial('malformed_request');
    this.fieldNames.push(name);
    this.starts.push(start);
    this.ends.push(end);
  }

  get(name: string): string | undefined {
    let found: string | undefined;
    for (
      let index = this.fieldNames.indexOf(name);
      index >= 0;
      index = this.fieldNames.indexOf(name, index + 1)
    ) {
      const value = this.valueAt(index);
      found = found === undefined ? value : `${found},${value}`;
    }
    return found;
  }

  all(name: string): readonly string[] {
    let index = this.fieldNames.indexOf(name);
    if (index < 0) return NO_VALUES;
    const values: string[] = [];
    for (; index >= 0; index = this.fieldNames.indexOf(name, index + 1)) values.push(this.valueAt(index));
    return values;
  }

  names(): Iterable<string> {
    return this.fieldNames;
  }

  joined(): ReadonlyMap<string, string> {
    const all = new Map<string, string>();
    this.fieldNames.forEach((name, index) => {
      const before = all.get(name);
      const value = this.valueAt(index);
      all.set(name, before === undefined ? value : `${before},${value}`);
    });
    return all;
  }

  /** A value may hold any bytes, and most are never read. U+FFFD makes sure that it equals nothing. */
  private valueAt(index: number): string {
    return this.message.textAt(this.starts[index] as number, this.ends[index] as number) ?? '\ufffd';
  }
}

const NO_VALUES: readonly string[] = Object.freeze([]);
/** Of a request that has none. */
export const NO_FIELDS: RequestHeaders = {
  get: () => undefined,
  all: () => NO_VALUES,
  names: () => NO_VALUES,
  joined: () => new Map(),
};

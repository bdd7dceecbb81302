import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { DENIALS, type DenialCode } from '../../src/authz/denial.js';

const guide = readFileSync(new URL('../../docs/guides/dpop.md', import.meta.url), 'utf8');
const rows = [...guide.matchAll(/^\| [^|]+ \| `(\w+)` \| (\d{3}) \| (\w+) \| RFC/gm)].map(
  ([, code = '', http, error]) => ({ code, http: Number(http), error }),
);

/** What sender constraints can end in. */
const isOurs = (code: string): boolean =>
  /dpop|bound|proof|confirmation|constraint|certificate|replay/.test(code);

describe('docs/guides/dpop.md', () => {
  test.each(rows)('tells the truth of $code', ({ code, http, error }) => {
    const entry = DENIALS[code as DenialCode];
    expect({ http: entry.http, error: entry.error ?? 'none' }).toEqual({ http, error });
  });

  test('has every denial of a sender constraint', () => {
    const told = new Set(rows.map(({ code }) => code));
    expect(Object.keys(DENIALS).filter((code) => isOurs(code) && !told.has(code))).toEqual([]);
  });
});

import { asTree } from './config-value.js';
import { type ConfigPath, formatPath, type ProblemReport } from './problems.js';

/** What references stand for. */
export interface ReferenceSource {
  /** The environment; values are secrets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a text file for `${file:…}`; a reason in words where it cannot be read. */
  readonly readText: (path: string) => { readonly text: string } | { readonly problem: string };
  readonly report: ProblemReport;
}

/** The file with its references filled in. */
export interface Interpolated {
  readonly tree: unknown;
  /** Paths (as they are written) of strings that held a reference: no message may quote any part of them. */
  readonly filled: ReadonlySet<string>;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FORMS = '${env:NAME} and ${file:/path} are known, and $${ stands for ${';

/**
 * Fills in `${env:NAME}` and `${file:/path}` in every string, keys excepted. What is filled in is trimmed and never
 * looked at again, so that a secret which happens to hold `${` stays as it is. A reference that is missing or unknown
 * is reported under its name, never taken literally: it may have been meant as a secret.
 */
export function interpolate(tree: unknown, source: ReferenceSource): Interpolated {
  const filled = new Set<string>();
  const walk = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') return value.includes('${') ? fill(value, path) : value;
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    const mapping = asTree(value);
    if (mapping === undefined) return value;
    const copy = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(mapping)) copy[key] = walk(mapping[key], [...path, key]);
    return copy;
  };
  const fill = (text: string, path: ConfigPath): string => {
    filled.add(formatPath(path));
    return text.replace(REFERENCE, (match, body: string | undefined, end: string | undefined) => {
      if (body === undefined) return '${';
      const found = end === '}' ? resolve(body, source) : { problem: `a reference is not closed; ${FORMS}` };
      if ('problem' in found) source.report.close(path, found.problem);
      return 'text' in found ? found.text.trim() : match;
    });
  };
  return { tree: walk(tree, []), filled };
}

function resolve(body: string, { env, readText }: ReferenceSource): { text: string } | { problem: string } {
  const [, kind, name] = /^(env|file):(.+)$/.exec(body) ?? [];
  if (name === undefined || (kind === 'env' && !ENV_NAME.test(name)))
    return { problem: `an unknown reference; ${FORMS}` };
  if (kind === 'file') {
    const file = readText(name);
    return 'text' in file ? file : { problem: `the file ${name} of \${file:…} ${file.problem}` };
  }
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  return text === undefined ? { problem: `the environment variable ${name} is not set` } : { text };
}

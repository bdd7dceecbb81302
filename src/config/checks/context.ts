import type { ConfigFiles } from '../files.js';
import type { ConfigValue } from '../config-value.js';
import { formatPath, type ProblemReport } from '../problems.js';

/** What a check across sections works with. */
export interface CheckContext {
  /** The file with its references filled in; its shape may be wrong anywhere. */
  readonly root: ConfigValue;
  readonly report: ProblemReport;
  readonly files: ConfigFiles;
  /** Paths of strings that held a reference. */
  readonly filled: ReadonlySet<string>;
}

/** Reports a problem with a value. */
export function refuse({ report }: CheckContext, node: ConfigValue, text: string): void {
  report.add(node.path, text);
}

/** May words of this value be quoted? Not where a reference was filled in: they may be a secret's. */
export function isQuotable({ filled }: CheckContext, node: ConfigValue): boolean {
  return !filled.has(formatPath(node.path));
}

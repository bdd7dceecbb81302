import type { ConfigValue } from '../config-value.js';
import type { CheckContext } from './context.js';

/**
 * Refuses what the file format knows and this version does not do. A setting that is ignored would be taken for one
 * that protects.
 */
export function checkUnsupported(ctx: CheckContext): void {
  const { root, report } = ctx;
  const given: ConfigValue[] = [root.get('tracing')];
  for (const node of given) if (node.exists) report.close(node.path, 'not supported yet');
}

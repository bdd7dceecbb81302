import type { Runtime } from '../../src/runtime/runtime-contract.js';

/** How many Checks ended for which reason, as the metrics say. */
export async function verdictsOf(runtime: Runtime): Promise<Map<string, number>> {
  const text = await runtime.metrics.registry.metrics();
  const rows = [...text.matchAll(/^portcullis_checks_total\{.*reason="([^"]+)".*\} (\d+)$/gm)];
  const counts = new Map<string, number>();
  for (const [, reason = '', count] of rows) counts.set(reason, (counts.get(reason) ?? 0) + Number(count));
  return counts;
}

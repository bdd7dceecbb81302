/** What the Checks came to lately, for services that show it: of this process, or of all workers. */
import type { IssuerKeysStatus } from '../jwks/key-status.js';
import { mergeDenials } from '../observability/recent-denials.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import type { Insights } from '../token-service/insights/router.js';
import type { WorkerPool } from './worker-pool.js';

/** Of this process. */
export function localInsights(runtime: Runtime): Insights {
  return {
    denials: (limit) => Promise.resolve(runtime.denials?.latest(limit) ?? []),
    keys: () => Promise.resolve(runtime.keys.status()),
  };
}

/** @param pool there once services answer */
export function clusterInsights(pool: () => WorkerPool): Insights {
  return {
    denials: async (limit) => mergeDenials(await pool().ask('denials', { limit }), limit),
    keys: async () => mergeKeyStatus(await pool().ask('keyStatus', {})),
  };
}

/** Of each issuer the worst that a worker reports: without keys, or with the oldest. */
function mergeKeyStatus(reports: readonly (readonly IssuerKeysStatus[])[]): readonly IssuerKeysStatus[] {
  const worst = new Map<string, IssuerKeysStatus>();
  for (const status of reports.flat()) {
    const other = worst.get(status.issuer);
    const isWorse =
      other === undefined ||
      (other.ready && !status.ready) ||
      (other.ready === status.ready && (status.ageMs ?? 0) > (other.ageMs ?? 0));
    if (isWorse) worst.set(status.issuer, status);
  }
  return [...worst.values()];
}

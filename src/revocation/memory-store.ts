import type { ReportChange, RevocationStore } from './revocation-store.js';

/** Creates a store that keeps nothing beyond the index of this process: revocations end with it. */
export function createMemoryRevocationStore(): RevocationStore {
  let report: ReportChange = () => undefined;
  return {
    open: (given) => {
      report = given;
      return Promise.resolve();
    },
    add: (revocation) => {
      report({ put: [revocation], removed: [] });
      return Promise.resolve(revocation);
    },
    remove: ({ id }) => {
      report({ put: [], removed: [id] });
      return Promise.resolve();
    },
    sweep: () => undefined,
    isAvailable: () => true,
    staleSinceMs: () => undefined,
    close: () => Promise.resolve(),
  };
}

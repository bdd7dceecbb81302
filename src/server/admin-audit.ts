import type { Logger } from '../ports.js';
import type { AdminBackend } from './admin.js';

/** The backend of the admin port, with an audit line for what it changes. */
export function withAudit(backend: AdminBackend, log: Logger): AdminBackend {
  return {
    ...backend,
    invalidate: async (issuer, drop) => {
      const outcome = await backend.invalidate(issuer, drop);
      log.audit?.({
        action: drop ? 'drop_keys' : 'fetch_keys',
        outcome: outcome === undefined ? 'refused' : 'ok',
        // Another text is the client's, and names no issuer.
        issuer: outcome === undefined ? undefined : issuer,
      });
      return outcome;
    },
    setLogLevel: async (level) => {
      const known = await backend.setLogLevel(level);
      log.audit?.({
        action: 'set_log_level',
        outcome: known ? 'ok' : 'refused',
        target: known ? level : undefined,
      });
      return known;
    },
  };
}

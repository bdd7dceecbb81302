import type { LogConfig } from '../../config/config.js';
import type { LogOptions } from '../log.js';
import type { AuditDestination } from './audit-log.js';
import { MAX_LINE_BYTES } from './audit-line.js';

/** How the log writes: where the audit log goes to the same pipe, neither may cut the other's lines. */
export function logOptionsOf({
  log,
  audit,
}: {
  readonly log: LogConfig;
  readonly audit: AuditDestination | undefined;
}): LogOptions {
  return audit !== undefined && 'stdout' in audit ? { ...log, maxWriteBytes: MAX_LINE_BYTES } : log;
}

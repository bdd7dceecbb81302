import { LOG_LEVELS, type RunningLog } from '../observability/log.js';

/** @returns false when there is no such level */
export function setLogLevel(log: RunningLog, level: string): boolean {
  if (!(LOG_LEVELS as readonly string[]).includes(level)) return false;
  log.level = level;
  return true;
}

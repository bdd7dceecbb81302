import type { Config } from '../config/config.js';
import { everyInterval } from '../guard/overload.js';
import type { Clock } from '../ports.js';
import { RevocationList } from '../revocation/revocation-list.js';
import { readUpdate } from '../revocation/shared-revocations.js';
import type { SharedState } from './shared-state.js';

/** What the list of a process is made with. */
export interface RevocationListParts {
  readonly state: SharedState;
  readonly clock: Clock;
  /** Do revocations begin in the memory of this very process? Then an empty list is all there is to know. */
  readonly beginsHere: boolean;
}

/** Creates the list that Checks are judged by, kept in step by the shared state. @returns undefined where revocation is off */
export function createRevocationList(
  { revocation }: Config,
  { state, clock, beginsHere }: RevocationListParts,
): RevocationList | undefined {
  if (revocation === undefined) return undefined;
  const list = new RevocationList({ clock, every: everyInterval });
  if (revocation.store !== 'memory' || !beginsHere) list.staleSinceMs = -Infinity;
  state.subscribe('revocations', (value) => list.update(readUpdate(value)));
  return list;
}

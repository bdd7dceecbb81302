/** Revocations on their way to the processes that judge by them: plain data, which survives JSON. */
import type { SharedStateSource, StateMessage } from '../runtime/shared-state.js';
import type { Revocation } from './revocation.js';
import type { RevocationService } from './revocation-service.js';
import type { RevocationUpdate } from './revocation-store.js';

/** An update as it is sent. JSON has neither -Infinity nor undefined. */
interface SentUpdate {
  readonly put: readonly Revocation[];
  readonly removed: readonly string[];
  readonly staleSinceMs: number | 'never' | null;
}

/** Revocations per message: so many that a message is quickly read. */
const PER_MESSAGE = 1000;

/** Makes what a service holds the state of other processes. What only an operator reads stays behind. */
export function shareRevocations(service: RevocationService): SharedStateSource {
  return {
    snapshot: () => {
      const { staleSinceMs } = service.list;
      const messages: StateMessage[] = [];
      let put: Revocation[] = [];
      const flush = (isLast: boolean): void => {
        const update = { change: { put, removed: [] }, staleSinceMs: isLast ? staleSinceMs : -Infinity };
        messages.push(messageOf(update));
        put = [];
      };
      for (const revocation of service.list.index.entries()) {
        put.push(revocation);
        if (put.length === PER_MESSAGE) flush(false);
      }
      // Not before all of it is there does the receiver take itself to be in step.
      flush(true);
      return messages;
    },
    onChange: (listener) => service.follow((update) => Promise.resolve(listener(messageOf(update)))),
  };
}

/** @param value from `shareRevocations`, of the same program */
export function readUpdate(value: unknown): RevocationUpdate {
  const { put, removed, staleSinceMs } = value as SentUpdate;
  return {
    change: { put, removed },
    staleSinceMs: staleSinceMs === 'never' ? -Infinity : (staleSinceMs ?? undefined),
  };
}

/** Nothing is revoked, and nothing is missing. For who judges beside a running server, such as `explain`. */
export const NO_REVOCATIONS: StateMessage = messageOf({
  change: { put: [], removed: [] },
  staleSinceMs: undefined,
});

function messageOf({ change, staleSinceMs }: RevocationUpdate): StateMessage {
  const sent: SentUpdate = {
    put: change.put.map(withoutReason),
    removed: change.removed,
    staleSinceMs: staleSinceMs === -Infinity ? 'never' : (staleSinceMs ?? null),
  };
  return { topic: 'revocations', value: sent };
}

function withoutReason(revocation: Revocation): Revocation {
  if (revocation.reason === undefined) return revocation;
  const { reason: _reason, ...rest } = revocation;
  return rest;
}

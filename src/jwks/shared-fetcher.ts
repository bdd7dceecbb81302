/**
 * One fetch for many processes. Workers ask the primary for key sets; one that asks within the cooldown of another gets
 * the same answer, so an issuer is asked no more often than by a single process.
 */
import type { Clock } from '../ports.js';
import type { FetchedKeySet, KeySetFetcher, KeySetRequest } from './ports.js';

/** A fetcher whose memory can be cleared. */
export interface SharedFetcher extends KeySetFetcher {
  /** Forgets answers, so that the next question goes to the issuer. @param issuer undefined: of all */
  forget(issuer?: string): void;
}

interface Shared {
  readonly answer: Promise<FetchedKeySet>;
  readonly askedAtMs: number;
}

/**
 * Wraps a fetcher.
 *
 * @param network asks the issuer
 */
export function createSharedFetcher(network: KeySetFetcher, clock: Clock): SharedFetcher {
  const byQuestion = new Map<string, Shared>();

  const ask = (key: string, request: KeySetRequest): Promise<FetchedKeySet> => {
    // One asker that gives up must not end the fetch of the others; the fetch has a time-out of its own.
    const { signal: _signal, ...question } = request;
    const answer = network.fetch(question);
    byQuestion.set(key, { answer, askedAtMs: clock.now() });
    // A failure is not shared for longer than it takes: each asker has a back-off of its own.
    answer.catch(() => byQuestion.delete(key));
    return answer;
  };

  return {
    fetch(request) {
      const key = JSON.stringify([request.issuer, request.source]);
      const shared = byQuestion.get(key);
      if (shared === undefined || !isFresh(shared, request, clock.now())) return ask(key, request);
      return shared.answer;
    },
    forget(issuer) {
      for (const key of byQuestion.keys()) {
        if (issuer === undefined || (JSON.parse(key) as unknown[])[0] === issuer) byQuestion.delete(key);
      }
    },
  };
}

/** An answer is shared for a cooldown, but never where the configuration wants a set for every token. */
function isFresh({ askedAtMs }: Shared, { settings }: KeySetRequest, nowMs: number): boolean {
  const windowMs = Math.min(settings.cooldownMs, settings.maxTtlMs);
  return nowMs >= askedAtMs && nowMs - askedAtMs < windowMs;
}

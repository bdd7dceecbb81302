import type { FetchedKeySet, KeySetFetcher, KeySetRequest } from '../../src/jwks/ports.js';
import { settle } from '../support/fake-time.js';

/** A fetch that somebody waits for. */
interface PendingFetch {
  readonly request: KeySetRequest;
  readonly resolve: (answer: FetchedKeySet) => void;
  readonly reject: (error: unknown) => void;
}

/** A fetcher that answers when the test says so. */
export class ManualFetcher implements KeySetFetcher {
  readonly requests: KeySetRequest[] = [];
  readonly #pending: PendingFetch[] = [];

  fetch(request: KeySetRequest): Promise<FetchedKeySet> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      this.#pending.push({ request, resolve, reject });
      request.signal?.addEventListener('abort', () => reject(new Error('given up')), { once: true });
    });
  }

  /** How many fetches were begun. */
  get count(): number {
    return this.requests.length;
  }

  /** Answers the oldest fetch that waits. */
  async answer(keys: readonly object[], answer: Partial<FetchedKeySet> = {}): Promise<void> {
    this.#next().resolve({ jwks: { keys }, ttlMs: 600_000, fetchedAtMs: this.nowMs(), ...answer });
    await settle();
  }

  /** Fails the oldest fetch that waits. */
  async fail(error: unknown = new Error('down')): Promise<void> {
    this.#next().reject(error);
    await settle();
  }

  constructor(private readonly nowMs: () => number) {}

  #next(): PendingFetch {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      if (next.request.signal?.aborted !== true) return next;
    }
    throw new Error('nobody is fetching');
  }
}

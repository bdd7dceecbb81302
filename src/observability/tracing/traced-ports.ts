/** What Checks wait for, with a span around it. */
import type { Introspector } from '../../introspection/types.js';
import type { KeySetFetcher } from '../../jwks/ports.js';
import type { ReplayStore } from '../../stores/replay-store.js';
import type { Tracer } from './tracer.js';

/** @returns the fetcher, with a span for each fetch that a Check waits for */
export function tracedFetcher(fetcher: KeySetFetcher, tracer: Tracer): KeySetFetcher {
  return {
    fetch: (request) =>
      tracer.child('key fetch', { 'portcullis.issuer': request.issuer }, () => fetcher.fetch(request)),
  };
}

/** @returns the introspector, with a span for each call */
export function tracedIntrospector(introspector: Introspector, tracer: Tracer): Introspector {
  const { issuer } = introspector;
  return {
    issuer,
    introspect: (token, hash) =>
      tracer.child('introspection', { 'portcullis.issuer': issuer }, () =>
        introspector.introspect(token, hash),
      ),
  };
}

/** @returns the store, with a span for each proof that is spent */
export function tracedReplay(store: ReplayStore, tracer: Tracer): ReplayStore {
  return {
    spend: (proof) => tracer.child('replay store', {}, () => store.spend(proof)),
    get entries() {
      return store.entries;
    },
    isAvailable: () => store.isAvailable(),
    close: () => store.close(),
  };
}

/** What the primary does for its workers, on both ends of the channel: fetching key sets, spending proofs in memory. */
import type { AskPersonalToken } from '../authz/token/personal.js';
import { IntrospectionUnavailableError } from '../introspection/types.js';
import { failureCode, KeySetError } from '../jwks/key-set-error.js';
import type { KeySetFetcher } from '../jwks/ports.js';
import {
  ReplayFullError,
  ReplayUnavailableError,
  type ReplayStore,
  type SpendableProof,
  UnprovableProofError,
} from '../stores/replay-store.js';
import type { AskIntrospection } from '../introspections.js';
import type { IpcHandlers, IpcPeer } from './ipc.js';
import type { FetchReply, IntrospectReply, PrimaryCalls, SpendReply } from './worker-contract.js';

/** What the primary serves with. */
export interface PrimaryServices {
  readonly fetcher: KeySetFetcher;
  /** undefined: workers spend in Redis. */
  readonly replay: ReplayStore | undefined;
  readonly introspect: AskIntrospection;
  readonly askPersonalToken: AskPersonalToken;
}

/** The primary's end. Errors cross as words: an error object does not survive the channel. */
export function primaryHandlers({
  fetcher,
  replay,
  introspect,
  askPersonalToken,
}: PrimaryServices): Omit<IpcHandlers<PrimaryCalls>, 'hello'> {
  return {
    fetchKeySet: async (request): Promise<FetchReply> => {
      try {
        return { set: await fetcher.fetch(request) };
      } catch (error) {
        return { failure: failureCode(error) };
      }
    },
    introspect: async (question): Promise<IntrospectReply> => {
      try {
        return { answer: await introspect(question) };
      } catch (error) {
        if (error instanceof IntrospectionUnavailableError)
          return { failure: error.reason, retryAfterS: error.retryAfterS };
        return { failure: 'internal', retryAfterS: 1 };
      }
    },
    personalToken: ({ token }) => askPersonalToken(token),
    spend: async (proof): Promise<SpendReply> => {
      if (replay === undefined) return 'unavailable';
      try {
        return (await replay.spend(proof)) ? 'first' : 'spent';
      } catch (error) {
        if (error instanceof UnprovableProofError) return 'unprovable';
        return error instanceof ReplayFullError ? 'full' : 'unavailable';
      }
    },
  };
}

/** A worker's fetcher: the primary asks the issuer, once for all workers. */
export function createPrimaryFetcher(primary: IpcPeer<PrimaryCalls>): KeySetFetcher {
  return {
    async fetch({ signal: _signal, ...request }) {
      const reply = await primary.call('fetchKeySet', request);
      if ('set' in reply) return reply.set;
      throw new KeySetError('invalid_key_set', `the primary could not fetch it: ${reply.failure}`);
    },
  };
}

/** A worker's way to ask issuers about tokens: the primary asks, once for all workers. */
export function createPrimaryIntrospection(primary: IpcPeer<PrimaryCalls>): AskIntrospection {
  return async (question) => {
    const { issuer } = question;
    const reply = await primary.call('introspect', question).catch((error: unknown) => {
      throw new IntrospectionUnavailableError(issuer, 'no_primary', 1, { cause: error });
    });
    if ('answer' in reply) return reply.answer;
    throw new IntrospectionUnavailableError(issuer, reply.failure, reply.retryAfterS);
  };
}

const UNPROVABLE = new UnprovableProofError('the primary may not have seen the proof spent');

/** A worker's question about a personal access token: the primary owns the store. */
export function createPrimaryPersonalTokens(primary: IpcPeer<PrimaryCalls>): AskPersonalToken {
  return async (token) => {
    try {
      return await primary.call('personalToken', { token });
    } catch {
      return { retryAfterS: 1 };
    }
  };
}

/** A worker's replay store: the primary remembers, so that a proof is spent once over all workers. */
export function createPrimaryReplay(primary: IpcPeer<PrimaryCalls>): ReplayStore {
  let answering = true;
  return {
    async spend({ jkt, replayKey, issuedAtMs, expiresAtMs }) {
      const reply = await askToSpend(primary, { jkt, replayKey, issuedAtMs, expiresAtMs });
      answering = reply !== 'unavailable';
      if (reply === 'full') throw new ReplayFullError('the replay memory is full');
      if (reply === 'unprovable') throw UNPROVABLE;
      if (reply === 'unavailable') throw new ReplayUnavailableError('the primary did not answer');
      return reply === 'first';
    },
    entries: undefined,
    isAvailable: () => answering,
    close: () => Promise.resolve(),
  };
}

async function askToSpend(primary: IpcPeer<PrimaryCalls>, proof: SpendableProof): Promise<SpendReply> {
  try {
    return await primary.call('spend', proof);
  } catch {
    return 'unavailable';
  }
}

import { Denial } from '../denial.js';
import type { Stage, VerifiedToken } from '../types.js';

/** The revocations that this process knows. Answers at once. */
export interface KnownRevocations {
  /**
   * @param credentialText the token as the client sent it
   * @param nowMs milliseconds since the epoch
   */
  isRevoked(token: VerifiedToken, credentialText: string, nowMs: number): boolean;
  /** For how long revocations may have been missed, milliseconds; 0: none were; Infinity: none were ever learnt. */
  staleForMs(nowMs: number): number;
}

/** What the stage judges by. */
export interface CheckRevocationOptions {
  readonly revocations: KnownRevocations;
  /** `revocation.maxStale`, milliseconds: so long what is known is enough. */
  readonly maxStaleMs: number;
  /** `revocation.onUnavailable`: what happens after that. */
  readonly onUnavailable: 'deny' | 'allow';
}

const REVOKED = new Denial('revoked_token');
/** The store is asked again several times per second. */
const UNAVAILABLE = new Denial('revocation_unavailable', { retryAfterS: 1, isOutage: true });

/**
 * Makes the stage that refuses revoked tokens. It runs after the token was verified, whatever cache it came from, so a
 * revocation counts from the moment it is known. What is known counts also while the store is out of reach.
 *
 * @throws Denial revoked_token, revocation_unavailable
 */
export function createCheckRevocationStage(options: CheckRevocationOptions): Stage {
  const { revocations, maxStaleMs, onUnavailable } = options;
  return {
    name: 'check-revocation',
    run({ token, credential, nowMs }) {
      if (token === undefined) return undefined;
      if (revocations.isRevoked(token, credential?.token ?? '', nowMs)) throw REVOKED;
      if (onUnavailable === 'deny' && revocations.staleForMs(nowMs) > maxStaleMs) throw UNAVAILABLE;
      return undefined;
    },
  };
}

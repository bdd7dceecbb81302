/** Remembers which DPoP proofs were spent (RFC 9449 11.1). One atomic question a proof, never a get and a set. */
export interface ReplayStore {
  /**
   * Spends a proof.
   *
   * @param key the proof's identity: thumbprint and jti hash, bounded, no credential
   * @param expiresAtMs until when the proof could be accepted again, milliseconds since the epoch
   * @returns true: first use; false: spent before
   * @throws ReplayUnavailableError when the store can not tell; the caller decides by `replay.onUnavailable`
   */
  spend(key: string, expiresAtMs: number): boolean | Promise<boolean>;

  /** How many live entries are held here; undefined where the store is elsewhere. */
  readonly entries: number | undefined;

  /** Is the store answering? Part of readiness. */
  isAvailable(): boolean;

  /** Releases connections and timers. */
  close(): Promise<void>;
}

/** The store is full, out of reach, or did not answer in time. */
export class ReplayUnavailableError extends Error {
  override readonly name = 'ReplayUnavailableError';
}

/**
 * The memory holds as many live entries as it may, or too many proofs wait for Redis. Whatever `replay.onUnavailable`
 * says, this refuses: a client that can bring it about could otherwise replay at will.
 */
export class ReplayFullError extends ReplayUnavailableError {}

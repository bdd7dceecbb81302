/** A verified proof, as far as a replay store needs it. */
export interface SpendableProof {
  /** RFC 7638 thumbprint of the proof's key. */
  readonly jkt: string;
  /** The proof's identity: thumbprint and `jti` hash; bounded, and not a credential. */
  readonly replayKey: string;
  /** `iat`, milliseconds since the epoch. */
  readonly issuedAtMs: number;
  /** The last moment at which the proof could be accepted, milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** Which `iat` of a proof is accepted, from the configuration. */
export interface ProofWindow {
  /** How old `iat` may be, milliseconds. */
  readonly maxAgeMs: number;
  /** How far clocks may differ, either way, milliseconds. */
  readonly clockToleranceMs: number;
}

/** Remembers which DPoP proofs were spent (RFC 9449 11.1). One atomic question per proof, never a get and a set. */
export interface ReplayStore {
  /**
   * Spends a proof.
   *
   * @param proof verified
   * @returns true: first use; false: spent before
   * @throws ReplayUnavailableError when the store cannot answer; the caller decides by `replay.onUnavailable`
   * @throws UnprovableProofError when the proof may have been spent where this store does not remember it
   */
  spend(proof: SpendableProof): boolean | Promise<boolean>;

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
 * The memory holds as many live entries as it may, in all or of one key, or too many proofs wait for Redis. Whatever
 * `replay.onUnavailable` says, the proof is refused: a client that can cause this could otherwise replay at will.
 */
export class ReplayFullError extends ReplayUnavailableError {}

/**
 * There is no connection to the store. Only this counts as an outage under `server.failure: error`: a slow answer may be
 * the work of clients that flood it.
 */
export class ReplayDisconnectedError extends ReplayUnavailableError {}

/** The proof is of a time for which the store does not remember every spent proof. */
export class UnprovableProofError extends Error {
  override readonly name = 'UnprovableProofError';
}

/** What the primary and its workers say to each other, beside plain words. */

/** A worker asks the primary to spend a proof. */
export interface SpendRequest {
  readonly key: string;
  readonly expiresAtMs: number;
}

/** A worker's answer to `start`. */
export interface WorkerReport {
  /** Why it can not serve. */
  readonly error?: string;
}

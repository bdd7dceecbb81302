/** Names of decisions: the same one in the log line, the dynamic metadata and the body of a denial. */

const ID_BYTES = 12;
/** Every id has this many characters, so that one can replace another in bytes that were built before. */
export const DECISION_ID_LENGTH = ID_BYTES * 2;

/** Of a context that produces no answer, such as a shadow policy's. */
export const NO_DECISION_ID = '0'.repeat(DECISION_ID_LENGTH);

/** Ids that are made with one call for random bytes. */
const BATCH = 256;

/**
 * Creates a source of ids: 96 random bits each, in hexadecimal. They carry no meaning, so a client learns nothing from
 * them, such as how many requests were decided. Not a secret.
 *
 * @param randomBytes cryptographic randomness of the given number of bytes
 */
export function createDecisionIds(randomBytes: (size: number) => Buffer): () => string {
  let batch = '';
  let at = 0;
  return () => {
    if (at === batch.length) {
      batch = randomBytes(ID_BYTES * BATCH).toString('hex');
      at = 0;
    }
    at += DECISION_ID_LENGTH;
    return batch.slice(at - DECISION_ID_LENGTH, at);
  };
}

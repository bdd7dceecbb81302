import { LRUCache } from 'lru-cache';
import { importPublicJwk } from '../../jwk/import-key.js';
import { JwkRejection } from '../../jwk/jwk-rejection.js';
import { jwkThumbprint } from '../../jwk/thumbprint.js';
import { ASYMMETRIC_ALGORITHMS, type AsymmetricAlgorithm, type VerificationKey } from '../../jwk/types.js';
import { readJoseHeader } from '../../jws/header.js';
import { JwsRejection } from '../../jws/jws-rejection.js';
import type { JsonObject } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';

/** The header of a proof, checked for form. Nothing is verified with it yet. */
export interface ProofHeader {
  readonly alg: AsymmetricAlgorithm;
  /** The proof's public key. Untrusted; its strength is not checked yet. */
  readonly jwk: object;
  /** RFC 7638 thumbprint of `jwk`. */
  readonly jkt: string;
}

/** A key that has verified a proof, with the header it came in. */
export interface ProofKey {
  readonly alg: AsymmetricAlgorithm;
  readonly jkt: string;
  readonly key: VerificationKey;
}

/** Keys of proofs by the text of the header that brought them. */
export interface ProofKeys {
  /** @param headerText the first segment of a proof, as sent */
  find(headerText: string): ProofKey | undefined;
  /** Call this only when a signature was verified with it, so that garbage does not evict keys in use. */
  keep(headerText: string, key: ProofKey): void;
}

/** A key costs about a kilobyte outside the heap. */
const KEY_BYTES = 1024;
const PROOF_TYPES: readonly (string | undefined)[] = ['dpop+jwt', 'application/dpop+jwt'];

/**
 * Creates a bounded store of clients' proof keys, so that a known client needs no import: a client's library writes the
 * same header every time. What is remembered is a function of that header alone, private members
 * and algorithm included, so two headers never share an entry.
 *
 * @param options.maxEntries of the store; the least recently used leaves
 */
export function createProofKeys(options: { readonly maxEntries?: number } = {}): ProofKeys {
  const maxEntries = options.maxEntries ?? 10_000;
  const keys = new LRUCache<string, ProofKey>({ max: maxEntries, maxSize: maxEntries * 2 * KEY_BYTES });
  return {
    find: (headerText) => keys.get(headerText),
    keep(headerText, key) {
      // A slice would keep the whole proof in memory.
      const text = Buffer.from(headerText, 'latin1').toString('latin1');
      keys.set(text, key, { size: KEY_BYTES + text.length });
    },
  };
}

/**
 * Reads the header of a proof: `typ`, an asymmetric `alg`, a `jwk` object, nothing that changes how a signature is made.
 * Does not compare `alg` with the configured list and does not import the key. `kid`, `jku`, `x5u` and `x5c` are not
 * looked at: a proof's key is its `jwk`.
 *
 * @param header from the strict reader, untrusted
 * @throws Denial dpop_proof_malformed, dpop_proof_type, dpop_proof_algorithm, dpop_proof_key
 * @see RFC 9449 section 4.3, checks 4 to 7
 */
export function readProofHeader(header: JsonObject): ProofHeader {
  const { alg, typ } = readHeader(header);
  if (!PROOF_TYPES.includes(typ)) throw new Denial('dpop_proof_type');
  const known = ASYMMETRIC_ALGORITHMS.find((one) => one === alg);
  if (known === undefined) throw new Denial('dpop_proof_algorithm');
  const { jwk } = header;
  if (typeof jwk !== 'object' || jwk === null) throw new Denial('dpop_proof_key');
  return { alg: known, jwk, jkt: orDenyKey(() => jwkThumbprint(jwk)) };
}

const HEADER_DENIALS: Partial<Record<JwsRejection['code'], DenialCode>> = {
  bad_algorithm: 'dpop_proof_algorithm',
  bad_type: 'dpop_proof_type',
};

function readHeader(header: JsonObject): ReturnType<typeof readJoseHeader> {
  try {
    return readJoseHeader(header);
  } catch (error) {
    if (!(error instanceof JwsRejection)) throw error;
    throw new Denial(HEADER_DENIALS[error.code] ?? 'dpop_proof_malformed');
  }
}

/**
 * Imports the key of a proof under the rules of key sets: public, strong, meant for signatures, fitting `alg`.
 *
 * @throws Denial dpop_proof_key
 * @see RFC 9449 section 4.3, checks 5 and 7
 */
export function importProofKey({ alg, jwk, jkt }: ProofHeader): ProofKey {
  const key = orDenyKey(() => importPublicJwk(jwk));
  if (!key.algorithms.includes(alg)) throw new Denial('dpop_proof_key');
  return { alg, jkt, key };
}

function orDenyKey<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JwkRejection) throw new Denial('dpop_proof_key');
    throw error;
  }
}

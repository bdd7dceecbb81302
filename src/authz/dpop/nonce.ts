import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Denial } from '../denial.js';

/** How nonces are made. */
export interface NonceOptions {
  /** The first one seals, all of them open, so a secret can be replaced without refusals. At least one. */
  readonly secrets: readonly string[];
  /** How long after its issue a nonce is taken, milliseconds. */
  readonly lifetimeMs: number;
  /** How far ahead another replica's clock may be, milliseconds. */
  readonly clockToleranceMs: number;
  /** Random bytes from a cryptographic source. */
  readonly random?: (bytes: number) => Buffer;
}

/** Nonces without state: everything they carry is sealed in them. */
export interface Nonces {
  /**
   * @param tokenHash VerifiedToken.hash: a nonce serves one token
   * @param nowMs milliseconds since the epoch
   * @returns 48 characters of base64url
   */
  issue(tokenHash: string, nowMs: number): string;

  /**
   * Checks the nonce of a proof. Does not spend it: within its lifetime it serves any number of proofs.
   *
   * @param nonce the claim, untrusted
   * @param tokenHash of the token beside the proof, verified
   * @param nowMs milliseconds since the epoch
   * @returns a fresh one where this one is past four fifths of its lifetimetime
   * @throws Denial dpop_nonce_required, with a fresh nonce: missing, stale, foreign, or no nonce at all
   */
  verify(nonce: string | undefined, tokenHash: string, nowMs: number): string | undefined;
}

const IV_BYTES = 12;
const TIME_BYTES = 8;
const TAG_BYTES = 16;
const SEALED_BYTES = IV_BYTES + TIME_BYTES + TAG_BYTES;
/** A multiple of three bytes, so every text of this form is canonical. */
const NONCE_TEXT = /^[A-Za-z0-9_-]{48}$/;
/** The share of its lifetime after which an allow carries a fresh nonce. */
const NEAR_END = 0.8;

/** A client uses a nonce for minutes, so an opened one is remembered. Only our own nonces get in. */
interface OpenedNonce {
  readonly tokenHash: string;
  readonly issuedAtMs: number;
}

const MAX_OPENED = 10_000;

/**
 * Creates stateless nonces: their time of issue under AES-256-GCM with a random IV, the token's hash as additional data,
 * the key derived from the secret by HKDF. Replicas with the same secrets accept each other's. A secret is good for some
 * 2^32 nonces (NIST SP 800-38D 8.3) and should be replaced long before.
 *
 * @throws TypeError without a secret
 * @see RFC 9449 sections 8 and 9, RFC 5869
 */
export function createNonces(options: NonceOptions): Nonces {
  const { lifetimeMs, clockToleranceMs, random = randomBytes } = options;
  const keys = options.secrets.map(deriveKey);
  const [sealingKey] = keys;
  if (sealingKey === undefined) throw new TypeError('nonces need a secret');

  const opened = new LRUCache<string, OpenedNonce>({ max: MAX_OPENED });
  const open = (nonce: string, tokenHash: string): number | undefined => {
    const known = opened.get(nonce);
    if (known?.tokenHash === tokenHash) return known.issuedAtMs;
    const issuedAtMs = openNonce(keys, nonce, tokenHash);
    if (issuedAtMs !== undefined) opened.set(nonce, { tokenHash, issuedAtMs });
    return issuedAtMs;
  };
  const issue = (tokenHash: string, nowMs: number): string =>
    seal(sealingKey, { iv: random(IV_BYTES), tokenHash, issuedAtMs: nowMs });

  return {
    issue,
    verify(nonce, tokenHash, nowMs) {
      const issuedAtMs = nonce === undefined ? undefined : open(nonce, tokenHash);
      const ageMs = issuedAtMs === undefined ? Infinity : nowMs - issuedAtMs;
      if (!(ageMs <= lifetimeMs && ageMs >= -clockToleranceMs)) {
        throw new Denial('dpop_nonce_required', { nonce: issue(tokenHash, nowMs) });
      }
      return ageMs > lifetimeMs * NEAR_END ? issue(tokenHash, nowMs) : undefined;
    },
  };
}

function deriveKey(secret: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'portcullis dpop nonce v1', 32)));
}

function seal(
  key: KeyObject,
  { iv, tokenHash, issuedAtMs }: { iv: Buffer; tokenHash: string; issuedAtMs: number },
): string {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  const time = Buffer.alloc(TIME_BYTES);
  time.writeDoubleBE(issuedAtMs);
  cipher.setAAD(Buffer.from(tokenHash, 'latin1'));
  return Buffer.concat([iv, cipher.update(time), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** @returns the time of issue, or undefined where no key of ours sealed this for that token */
function openNonce(keys: readonly KeyObject[], nonce: string, tokenHash: string): number | undefined {
  if (!NONCE_TEXT.test(nonce)) return undefined;
  const sealed = Buffer.from(nonce, 'base64url');
  for (const key of keys) {
    const issuedAtMs = openWith(key, sealed, tokenHash);
    if (issuedAtMs !== undefined) return issuedAtMs;
  }
  return undefined;
}

function openWith(key: KeyObject, sealed: Buffer, tokenHash: string): number | undefined {
  const tagAt = SEALED_BYTES - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(tokenHash, 'latin1'));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const time = decipher.update(sealed.subarray(IV_BYTES, tagAt));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return time.readDoubleBE();
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { decodeBase64Url } from '../jws/base64url.js';

/** What opaque tokens are sealed with. */
export interface SealerOptions {
  /** `tokens.sealing.secrets`: the first seals, all open. At least one. */
  readonly secrets: readonly string[];
  /** Longer texts are not opened. */
  readonly maxBytes: number;
  /** Bytes from a cryptographic source. */
  readonly random?: (bytes: number) => Buffer;
}

/** Makes claims into an opaque text, and back. */
export interface TokenSealer {
  /** @param payload JSON text of the claims. @returns visible ASCII without a dot */
  seal(payload: string): string;
  /**
   * Opens a token. Authentic is what comes out, and no more: claims and times are the caller's to judge.
   *
   * @param text untrusted
   * @returns undefined where no secret of ours sealed it
   */
  open(text: string): string | undefined;
}

/** How sealed tokens begin: neither a JWT nor a personal access token does. */
export const SEALED_PREFIX = 'pst_';

const KID_BYTES = 4;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = KID_BYTES + SALT_BYTES + IV_BYTES;

interface SealingKey {
  /** Names the secret, so that a token is opened by one try. Public. */
  readonly kid: Buffer;
  readonly key: Buffer;
}

/** Has this text the outline of a sealed token? Proves nothing. */
export function isSealedOutline(text: string): boolean {
  return text.startsWith(SEALED_PREFIX) && !text.includes('.');
}

/**
 * Creates a sealer: AES-256-GCM, under a key of each token's own that is derived from the secret and a random salt, so
 * that the number of tokens is not bounded by repeating nonces. Stateless: replicas with the same secrets open each
 * other's tokens.
 *
 * @throws TypeError without a secret
 * @see NIST SP 800-38D, RFC 5869
 */
export function createTokenSealer({ secrets, maxBytes, random = randomBytes }: SealerOptions): TokenSealer {
  const keys = secrets.map(deriveKey);
  const [sealing] = keys;
  if (sealing === undefined) throw new TypeError('sealed tokens need a secret');
  return {
    seal(payload) {
      const head = Buffer.concat([sealing.kid, random(SALT_BYTES + IV_BYTES)]);
      const cipher = createCipheriv('aes-256-gcm', tokenKey(sealing, head), ivOf(head), {
        authTagLength: TAG_BYTES,
      });
      cipher.setAAD(aadOf(head));
      const sealed = Buffer.concat([
        head,
        cipher.update(payload, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return SEALED_PREFIX + sealed.toString('base64url');
    },
    open(text) {
      if (text.length > maxBytes || !text.startsWith(SEALED_PREFIX)) return undefined;
      const sealed = decodeBase64Url(text.slice(SEALED_PREFIX.length));
      if (sealed === undefined || sealed.length < HEAD_BYTES + TAG_BYTES) return undefined;
      for (const key of keys) {
        if (!key.kid.equals(sealed.subarray(0, KID_BYTES))) continue;
        const payload = openWith(key, sealed);
        if (payload !== undefined) return payload;
      }
      return undefined;
    },
  };
}

function deriveKey(secret: string): SealingKey {
  const derived = Buffer.from(hkdfSync('sha256', secret, '', 'portcullis sealed token v1', 32 + KID_BYTES));
  return { key: derived.subarray(0, 32), kid: derived.subarray(32) };
}

function tokenKey({ key }: SealingKey, head: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(head.subarray(KID_BYTES, KID_BYTES + SALT_BYTES))
    .digest();
}

function ivOf(head: Buffer): Buffer {
  return head.subarray(KID_BYTES + SALT_BYTES, HEAD_BYTES);
}

function aadOf(head: Buffer): Buffer {
  return Buffer.concat([Buffer.from(SEALED_PREFIX), head.subarray(0, KID_BYTES)]);
}

function openWith(key: SealingKey, sealed: Buffer): string | undefined {
  const head = sealed.subarray(0, HEAD_BYTES);
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', tokenKey(key, head), ivOf(head), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(aadOf(head));
  decipher.setAuthTag(sealed.subarray(tagAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES, tagAt)), decipher.final()]).toString(
      'utf8',
    );
  } catch {
    return undefined;
  }
}

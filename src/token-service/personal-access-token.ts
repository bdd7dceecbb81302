import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The two halves of a personal access token. */
export interface PersonalAccessToken {
  /** Names the record. Not secret. */
  readonly tokenId: string;
  /** 43 characters. Never logged, never stored: the record holds a salted hash of it. */
  readonly secret: string;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;
const SECRET_LENGTH = 43;
const SECRET_BYTES = 32;
const MADE_ID_LENGTH = 22;
const MAX_ID_LENGTH = 64;
const TAIL_LENGTH = 1 + SECRET_LENGTH + CHECKSUM_LENGTH;
/** `prefix + id + "." + secret + checksum`, each part of this alphabet. */
const TEXT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/;
const TOKEN_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Is this text a token's id, made here or chosen? */
export function isTokenId(text: string): boolean {
  return TOKEN_ID.test(text);
}

/**
 * Makes the halves of a new token: an id of 130 bits, unless one is chosen, and a secret of 256 bits.
 *
 * @param random bytes from a cryptographic source
 */
export function createPersonalAccessToken(
  tokenId: string | undefined,
  random: (bytes: number) => Buffer = randomBytes,
): PersonalAccessToken {
  return {
    tokenId: tokenId ?? createTokenId(random),
    secret: random(SECRET_BYTES).toString('base64url'),
  };
}

/**
 * The text of a token: prefix, id, a dot, secret and checksum.
 *
 * @param prefix `tokens.prefix`
 */
export function formatPersonalAccessToken(prefix: string, { tokenId, secret }: PersonalAccessToken): string {
  const text = `${prefix}${tokenId}.${secret}`;
  return text + checksumOf(text);
}

/**
 * Takes the text of a token apart. The checksum is compared first of all, so that a mistyped or made-up token costs no
 * look-up and no hash. It is no secret and proves nothing.
 *
 * @param text untrusted
 * @param prefix `tokens.prefix`
 * @returns undefined where it is no such token
 */
export function parsePersonalAccessToken(text: string, prefix: string): PersonalAccessToken | undefined {
  const idEnd = text.length - TAIL_LENGTH;
  const idLength = idEnd - prefix.length;
  if (idLength < 1 || idLength > MAX_ID_LENGTH || !text.startsWith(prefix) || !TEXT.test(text))
    return undefined;
  const checked = text.slice(0, -CHECKSUM_LENGTH);
  if (checksumOf(checked) !== text.slice(-CHECKSUM_LENGTH)) return undefined;
  return { tokenId: text.slice(prefix.length, idEnd), secret: checked.slice(-SECRET_LENGTH) };
}

/** CRC-32 (IEEE) in base 62, most significant digit first. */
function checksumOf(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}

/** Bytes that would make some letters likelier than others are left out. */
function createTokenId(random: (bytes: number) => Buffer): string {
  const fair = 256 - (256 % ALPHABET.length);
  let id = '';
  while (id.length < MADE_ID_LENGTH) {
    for (const byte of random(MADE_ID_LENGTH)) {
      if (byte < fair && id.length < MADE_ID_LENGTH) id += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return id;
}

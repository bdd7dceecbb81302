/** What a scrypt hash costs (RFC 7914 2). */
export interface ScryptCost {
  /** The base-2 logarithm of N. */
  readonly ln: number;
  /** Block size. */
  readonly r: number;
  /** Parallelization. */
  readonly p: number;
}

/** A password hash, taken apart. */
export interface ScryptPhc extends ScryptCost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Below is too cheap to guess, above is a way to exhaust this process. */
export const SCRYPT_BOUNDS = { minLn: 14, maxLn: 17, r: 8, maxP: 4 } as const;

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{1,86})\$([A-Za-z0-9+/]{1,86})$/;
const MIN_SALT_BYTES = 8;
const MIN_HASH_BYTES = 32;
const MAX_BYTES = 64;

/**
 * Parses a scrypt hash in PHC string format, strictly: parameters in order and without leading zeros, standard base64
 * without padding and without spare bits, costs, salt and hash within bounds.
 *
 * @param text of a record or an administrator
 * @returns undefined where it is not such a string
 * @see https://github.com/P-H-C/phc-string-format
 */
export function parseScryptPhc(text: string): ScryptPhc | undefined {
  const [, ln, r, p, saltText, hashText] = PHC.exec(text) ?? [];
  if (saltText === undefined || hashText === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const salt = Buffer.from(saltText, 'base64');
  const hash = Buffer.from(hashText, 'base64');
  const phc = { ...cost, salt, hash };
  const isCanonical = formatScryptPhc(phc) === text;
  return isCanonical && isAffordable(cost) && fits(salt, MIN_SALT_BYTES) && fits(hash, MIN_HASH_BYTES)
    ? phc
    : undefined;
}

/** The text of a hash. */
export function formatScryptPhc({ ln, r, p, salt, hash }: ScryptPhc): string {
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/={1,2}$/, '');
  return `$scrypt$ln=${ln},r=${r},p=${p}$${text(salt)}$${text(hash)}`;
}

function isAffordable({ ln, r, p }: ScryptCost): boolean {
  const { minLn, maxLn, maxP } = SCRYPT_BOUNDS;
  return ln >= minLn && ln <= maxLn && r === SCRYPT_BOUNDS.r && p >= 1 && p <= maxP;
}

function fits(bytes: Buffer, min: number): boolean {
  return bytes.length >= min && bytes.length <= MAX_BYTES;
}

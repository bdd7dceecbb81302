import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ports.js';
import { formatScryptPhc, parseScryptPhc, type ScryptCost, type ScryptPhc } from './scrypt-phc.js';
import type { ScryptQueue } from './scrypt-queue.js';

/** What secrets are hashed with. */
export interface SecretHasherOptions {
  /** Of new hashes, and of the work for tokens that do not exist. */
  readonly cost: ScryptCost;
  readonly queue: ScryptQueue;
  readonly clock: Clock;
  /** Bytes from a cryptographic source. */
  readonly random?: (bytes: number) => Buffer;
  /** How long an accepted secret is remembered, milliseconds. */
  readonly rememberMs?: number;
  /** How many are. */
  readonly maxRemembered?: number;
}

/** Hashes the secrets of personal access tokens, and compares them. */
export interface SecretHasher {
  /** @returns a PHC string of today's cost with a new salt. @throws ScryptBusyError */
  hash(secret: string): Promise<string>;
  /**
   * Compares a secret with a hash. An unknown token costs what a wrong secret does: hand over `undefined`.
   *
   * @param phc of the record; undefined: there is none, and the answer is false after the same work
   * @param secret untrusted
   * @param fromMemory false: the work is done, whatever is remembered; for records that are refused all the same
   * @throws ScryptBusyError
   */
  verify(phc: string | undefined, secret: string, fromMemory?: boolean): Promise<boolean>;
  /** Was this hash made at a lower cost than today's? */
  isOutdated(phc: string): boolean;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * Creates a hasher. A secret that was accepted is remembered for a short time as an HMAC under a key of this process, so
 * that a busy client does not cost a hash each time, and memory holds nothing that can be replayed. It is remembered for
 * one hash only: a record with a new hash is verified again.
 */
export function createSecretHasher(options: SecretHasherOptions): SecretHasher {
  const { cost, queue, clock, random = randomBytes } = options;
  const { rememberMs = REMEMBER_MS, maxRemembered = MAX_REMEMBERED } = options;
  const key = random(32);
  /** By HMAC of hash and secret: until when it counts, milliseconds. */
  const accepted = new LRUCache<string, number>({ max: maxRemembered });
  const inFlight = new Map<string, Promise<boolean>>();
  const nobody: ScryptPhc = { ...cost, salt: random(SALT_BYTES), hash: random(HASH_BYTES) };

  const compare = async (phc: ScryptPhc, secret: string): Promise<boolean> => {
    const hash = await queue.hash({ ...phc, secret, bytes: phc.hash.length });
    return timingSafeEqual(hash, phc.hash);
  };
  const compareOnce = (name: string, phc: ScryptPhc, secret: string): Promise<boolean> => {
    const known = inFlight.get(name);
    if (known !== undefined) return known;
    const flight = compare(phc, secret).finally(() => inFlight.delete(name));
    inFlight.set(name, flight);
    return flight;
  };

  return {
    async hash(secret) {
      const salt = random(SALT_BYTES);
      const hash = await queue.hash({ ...cost, secret, salt, bytes: HASH_BYTES });
      return formatScryptPhc({ ...cost, salt, hash });
    },
    async verify(text, secret, fromMemory = true) {
      const parsed = text === undefined ? undefined : parseScryptPhc(text);
      const name = createHmac('sha256', key)
        .update(`${text ?? ''}\0${secret}`)
        .digest('base64');
      const until = fromMemory ? accepted.get(name) : undefined;
      if (parsed !== undefined && until !== undefined && clock.now() < until) return true;
      const isEqual = await compareOnce(name, parsed ?? nobody, secret);
      if (!isEqual || parsed === undefined) return false;
      accepted.set(name, clock.now() + rememberMs);
      return true;
    },
    isOutdated(text) {
      const phc = parseScryptPhc(text);
      return phc !== undefined && work(phc) < work(cost);
    },
  };
}

function work({ ln, r, p }: ScryptCost): number {
  return 2 ** ln * r * p;
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../ports.js';
import type { IntrospectionAnswer } from './types.js';

/** Answers that are kept for other processes. Failing to keep or to find one is never an error. */
export interface SharedAnswers {
  /** @param hash of the token */
  get(hash: string): Promise<IntrospectionAnswer | undefined>;
  set(hash: string, answer: IntrospectionAnswer): Promise<void>;
}

/** A store of texts that others can read and write. */
export interface TextStore {
  /** @throws Error when there is no answer in time */
  get(key: string): Promise<string | undefined>;
  /** @throws Error when there is no answer in time */
  set(key: string, value: string, ttlMs: number): Promise<void>;
}

/** What sealed answers are made of. */
export interface SealedAnswersOptions {
  readonly store: TextStore;
  /** Secret of the client, known to all replicas. */
  readonly secret: string;
  /** Everything else that an answer rests on; another text finds none of the old answers. */
  readonly section: string;
  readonly clock: Clock;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps answers in a store that is not trusted. Who reads the store learns no token and no claim, and who writes to it
 * cannot make an answer up: keys are HMACs of the token's hash, values are sealed with AES-256-GCM under a key of the
 * client's secret, and bound to the name they are stored under.
 */
export function createSealedAnswers({ store, secret, section, clock }: SealedAnswersOptions): SharedAnswers {
  const derived = Buffer.from(hkdfSync('sha256', secret, 'portcullis introspection', section, 64));
  const [nameKey, sealKey] = [derived.subarray(0, 32), derived.subarray(32)];
  const nameOf = (hash: string): string =>
    `portcullis:introspection:${createHmac('sha256', nameKey).update(hash).digest('base64url')}`;
  return {
    async get(hash) {
      const name = nameOf(hash);
      try {
        const sealed = await store.get(name);
        const answer = sealed === undefined ? undefined : open(sealed, name, sealKey);
        return answer !== undefined && clock.now() < answer.untilMs ? answer : undefined;
      } catch {
        return undefined;
      }
    },
    async set(hash, answer) {
      const ttlMs = Math.floor(answer.untilMs - clock.now());
      if (ttlMs <= 0) return;
      const name = nameOf(hash);
      await store.set(name, seal(answer, name, sealKey), ttlMs).catch(() => undefined);
    },
  };
}

function seal(answer: IntrospectionAnswer, name: string, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** @throws Error where the value was not sealed with this key for this name */
function open(text: string, name: string, key: Buffer): IntrospectionAnswer {
  const bytes = Buffer.from(text, 'base64url');
  const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(name)).setAuthTag(tag);
  const opened =
    decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  return JSON.parse(opened) as IntrospectionAnswer;
}

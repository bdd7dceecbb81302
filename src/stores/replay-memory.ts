import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../ports.js';
import { KeyShares } from './key-shares.js';
import { ReplayFullError, type ReplayStore, type SpendableProof } from './replay-store.js';

/** What the memory may hold. */
export interface ReplayMemoryOptions {
  /** Live proofs at most; beyond it new ones are refused. 32 bytes each are reserved, and used as they fill. */
  readonly maxEntries: number;
  readonly clock: Clock;
  /** Random bytes from a cryptographic source; they decide where a key is put, so that no client can. */
  readonly random?: (bytes: number) => Buffer;
}

/** A store that answers at once. */
export interface MemoryReplayStore extends ReplayStore {
  spend(proof: SpendableProof): boolean;
  readonly entries: number;
}

/** Words of an entry: 96 bits of the key's hash, and the second until which it lives; 0 there: never used. */
const WORDS = 4;
const EXPIRY = 3;
const WAYS = 8;
const BUCKET = WAYS * WORDS;
/** With two buckets to choose from and half of all places in use, no bucket fills up before the whole does. */
const PLACES_PER_ENTRY = 2;
const MIN_BUCKETS = 8;
const MAX_SECONDS = 2 ** 32 - 1;
/** One key may hold this part of the memory, */
const SHARE_OF_ONE_KEY = 1 / 16;
/** or so many, where half of the memory is at least that; */
const SMALL_SHARE = 1000;
/** and all of a memory this small. */
const TINY_MEMORY = 4;

/**
 * Creates a replay store in the memory of this process: for one process, and lost with it. It is a table of fixed size
 * outside the heap of JavaScript: a proof is looked for in two buckets of eight places, an expired one is overwritten
 * where it stands, and so nothing ever grows, sweeps or stalls. A live entry is never given up: when the table is full,
 * new proofs are refused, and so are those of one key that has its share, so that no key can shut out the others.
 *
 * @see RFC 9449 section 11.1
 */
export function createReplayMemory(options: ReplayMemoryOptions): MemoryReplayStore {
  return new ReplayMemory(options);
}

/** A key's place in the table: its two buckets, and what is written there. */
interface Address {
  readonly first: number;
  readonly second: number;
  readonly words: readonly [number, number, number];
}

class ReplayMemory implements MemoryReplayStore {
  private readonly buckets: number;
  private readonly table: Uint32Array;
  private readonly seed: string;
  private readonly live = new LiveCount();
  /** Of all that was overwritten, the latest end of life: a clock that goes back must not make it new again. */
  private forgottenUntilS = 0;
  private readonly shares: KeyShares;
  /** One instance for all: a flood must not cost a stack each time. */
  private readonly full: ReplayFullError;
  private readonly shareFull: ReplayFullError;

  constructor(private readonly options: ReplayMemoryOptions) {
    const { maxEntries, random = randomBytes } = options;
    this.buckets = Math.max(MIN_BUCKETS, Math.ceil((maxEntries * PLACES_PER_ENTRY) / WAYS));
    this.table = new Uint32Array(this.buckets * BUCKET);
    this.seed = random(16).toString('base64url');
    const share = shareOfOneKey(maxEntries);
    this.shares = new KeyShares(share, random(16).toString('base64url'));
    this.full = new ReplayFullError(`the replay memory holds its ${maxEntries} live proofs`);
    this.shareFull = new ReplayFullError(
      `the replay memory holds the ${share} live proofs that one key may have`,
    );
  }

  get entries(): number {
    return this.live.countAt(this.nowS());
  }

  isAvailable(): boolean {
    return this.entries < this.options.maxEntries;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  spend({ jkt, replayKey, expiresAtMs }: SpendableProof): boolean {
    const nowS = this.nowS();
    const expiresAtS = Math.min(Math.ceil(expiresAtMs / 1000), MAX_SECONDS);
    // Past its time, or of a time of which not everything is remembered: it cannot be shown to be unspent.
    if (expiresAtS < nowS || expiresAtS <= this.forgottenUntilS) return false;
    const address = this.addressOf(replayKey);
    if (this.holds(address.first, address, nowS) || this.holds(address.second, address, nowS)) return false;
    if (this.live.countAt(nowS) >= this.options.maxEntries) throw this.full;
    const cells = this.shares.cellsOf(jkt);
    if (this.shares.isExhausted(cells, nowS)) throw this.shareFull;
    this.write(this.freePlace(address, nowS), address, expiresAtS);
    this.live.add(expiresAtS);
    this.shares.add(cells, { nowS, endS: expiresAtS });
    return true;
  }

  private nowS(): number {
    return Math.floor(this.options.clock.now() / 1000);
  }

  private addressOf(key: string): Address {
    // As text of one byte a character: no buffer has to be made to read it.
    const digest = hash('sha256', this.seed + key, 'binary');
    const bucket = (index: number): number => (wordOf(digest, index) % this.buckets) * BUCKET;
    return {
      first: bucket(3),
      second: bucket(4),
      words: [wordOf(digest, 0), wordOf(digest, 1), wordOf(digest, 2)],
    };
  }

  private holds(bucket: number, { words }: Address, nowS: number): boolean {
    const { table } = this;
    for (let at = bucket; at < bucket + BUCKET; at += WORDS) {
      if (table[at] === words[0] && table[at + 1] === words[1] && table[at + 2] === words[2]) {
        return this.isLive(at, nowS);
      }
    }
    return false;
  }

  private isLive(at: number, nowS: number): boolean {
    return (this.table[at + EXPIRY] ?? 0) >= nowS;
  }

  /** The emptier of two buckets takes the entry: that keeps all of them about equally full. */
  private freePlace({ first, second }: Address, nowS: number): number {
    const isFirst = this.liveIn(first, nowS) <= this.liveIn(second, nowS);
    const bucket = isFirst ? first : second;
    for (let at = bucket; at < bucket + BUCKET; at += WORDS) if (!this.isLive(at, nowS)) return at;
    throw this.full;
  }

  private liveIn(bucket: number, nowS: number): number {
    let live = 0;
    for (let at = bucket; at < bucket + BUCKET; at += WORDS) if (this.isLive(at, nowS)) live++;
    return live;
  }

  private write(at: number, { words }: Address, expiresAtS: number): void {
    this.forgottenUntilS = Math.max(this.forgottenUntilS, this.table[at + EXPIRY] ?? 0);
    // One at a time: TypedArray.set() of a short list costs ten times as much.
    this.table[at] = words[0];
    this.table[at + 1] = words[1];
    this.table[at + 2] = words[2];
    this.table[at + EXPIRY] = expiresAtS;
  }
}

function shareOfOneKey(maxEntries: number): number {
  const half = Math.ceil(maxEntries / 2);
  return Math.max(
    Math.ceil(maxEntries * SHARE_OF_ONE_KEY),
    Math.min(half, SMALL_SHARE),
    Math.min(maxEntries, TINY_MEMORY),
  );
}

/** 32 bits of a digest. */
function wordOf(digest: string, index: number): number {
  const at = index * 4;
  const high = (digest.charCodeAt(at) << 8) | digest.charCodeAt(at + 1);
  return ((high << 16) | (digest.charCodeAt(at + 2) << 8) | digest.charCodeAt(at + 3)) >>> 0;
}

/** How many entries are live, by the second in which they end. */
class LiveCount {
  private readonly endings = new Map<number, number>();
  private total = 0;
  private countedAtS = 0;

  add(expiresAtS: number): void {
    this.endings.set(expiresAtS, (this.endings.get(expiresAtS) ?? 0) + 1);
    this.total++;
  }

  /** At most once per second this looks at the seconds that lie ahead, which are about as many as a proof lives. */
  countAt(nowS: number): number {
    if (nowS === this.countedAtS) return this.total;
    this.countedAtS = nowS;
    for (const [endS, count] of this.endings) {
      if (endS >= nowS) continue;
      this.endings.delete(endS);
      this.total -= count;
    }
    return this.total;
  }
}

import type { Clock } from '../ports.js';
import {
  type ProofWindow,
  type ReplayStore,
  type SpendableProof,
  UnprovableProofError,
} from './replay-store.js';

/** What a guard needs. */
export interface ReplayGuardOptions {
  readonly clock: Clock;
  /** The window in force. */
  readonly window: ProofWindow;
  /**
   * When the store began to remember, milliseconds since the epoch. Proofs of an earlier second are refused: another
   * process may have seen them spent. undefined: the store outlives the process, or the operator accepts the risk.
   */
  readonly beganAtMs: number | undefined;
}

/** A replay store that refuses what it cannot know. */
export interface GuardedReplayStore extends ReplayStore {
  /** Takes a new window, before any proof is accepted by it. */
  reconfigure(window: ProofWindow): void;
}

/** The narrowest window under which proofs were remembered that the present window would still accept. */
interface FormerWindow extends ProofWindow {
  /** Proofs issued later than this were remembered under the present window, milliseconds since the epoch. */
  readonly issuedUntilMs: number;
  /** From then on no proof of that time is within the present window. */
  readonly obsoleteAtMs: number;
}

/** One instance for all: a flood must not cost a stack each time. */
const UNPROVABLE = new UnprovableProofError('the proof may have been spent before this store remembered it');

/**
 * Guards a store against proofs that it may have forgotten, or never have known: those issued before it began, and after a
 * reload that widens the window those that had left the old window, since a spent proof is remembered only as long as the
 * window of its time accepts it. Does not know of other processes' reloads.
 *
 * @see RFC 9449 section 11.1
 */
export function createGuardedReplay(store: ReplayStore, options: ReplayGuardOptions): GuardedReplayStore {
  return new GuardedReplay(store, options);
}

class GuardedReplay implements GuardedReplayStore {
  private readonly firstSecond: number;
  private readonly clock: Clock;
  private window: ProofWindow;
  private former: FormerWindow | undefined;

  constructor(
    private readonly store: ReplayStore,
    { clock, window, beganAtMs }: ReplayGuardOptions,
  ) {
    this.clock = clock;
    this.window = window;
    this.firstSecond = beganAtMs === undefined ? -Infinity : secondOf(beganAtMs);
  }

  get entries(): number | undefined {
    return this.store.entries;
  }

  isAvailable(): boolean {
    return this.store.isAvailable();
  }

  close(): Promise<void> {
    return this.store.close();
  }

  spend(proof: SpendableProof): boolean | Promise<boolean> {
    if (secondOf(proof.issuedAtMs) < this.firstSecond) throw UNPROVABLE;
    if (this.former !== undefined && !this.isWithinFormer(proof)) throw UNPROVABLE;
    return this.store.spend(proof);
  }

  reconfigure(next: ProofWindow): void {
    const { window } = this;
    this.window = next;
    const nowMs = this.clock.now();
    const isWider = next.maxAgeMs > window.maxAgeMs || next.clockToleranceMs > window.clockToleranceMs;
    if (isWider) this.former = narrowest(this.currentFormer(nowMs), window, { next, nowMs });
  }

  private currentFormer(nowMs: number): FormerWindow | undefined {
    if (this.former !== undefined && nowMs > this.former.obsoleteAtMs) this.former = undefined;
    return this.former;
  }

  private isWithinFormer({ issuedAtMs, expiresAtMs }: SpendableProof): boolean {
    const nowMs = this.clock.now();
    const former = this.currentFormer(nowMs);
    if (former === undefined || issuedAtMs > former.issuedUntilMs) return true;
    // Where `exp` of the proof ends it before its age does, only the tolerance makes a difference.
    const ownEndMs = expiresAtMs - this.window.clockToleranceMs;
    return nowMs <= Math.min(issuedAtMs + former.maxAgeMs, ownEndMs) + former.clockToleranceMs;
  }
}

/** The window that was in force, narrowed by one before it whose proofs may still be sent. */
function narrowest(
  former: FormerWindow | undefined,
  window: ProofWindow,
  { next, nowMs }: { readonly next: ProofWindow; readonly nowMs: number },
): FormerWindow {
  const issuedUntilMs = nowMs + window.clockToleranceMs;
  return {
    maxAgeMs: Math.min(window.maxAgeMs, next.maxAgeMs, former?.maxAgeMs ?? Infinity),
    clockToleranceMs: Math.min(
      window.clockToleranceMs,
      next.clockToleranceMs,
      former?.clockToleranceMs ?? Infinity,
    ),
    issuedUntilMs,
    obsoleteAtMs: issuedUntilMs + next.maxAgeMs + next.clockToleranceMs,
  };
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

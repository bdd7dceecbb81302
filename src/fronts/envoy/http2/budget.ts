import { calm } from './errors.js';
import { COSTS, type Http2Limits } from './limits.js';

/**
 * One budget per connection for all that costs work and moves no call forward: resets by the peer (CVE-2023-44487),
 * resets it made us send (CVE-2025-8671), PING, SETTINGS, PRIORITY, empty DATA, WINDOW_UPDATE, unknown frames. It
 * fills again with time, and with each call that is answered: who works may also cancel.
 */
export class Budget {
  private points: number;

  constructor(
    private readonly size: Http2Limits['budget'],
    private filledMs: number,
  ) {
    this.points = size.capacity;
  }

  /** Takes what a frame costs. @throws ConnectionError ENHANCE_YOUR_CALM when the budget is used up */
  spend(what: keyof typeof COSTS, nowMs: number): void {
    this.points -= COSTS[what];
    if (this.points >= 0) return;
    this.fill(nowMs);
    if (this.points < 0) throw calm(what);
  }

  /** A call was answered. */
  earn(): void {
    this.points = Math.min(this.size.capacity, this.points + this.size.perAnswer);
  }

  /** Time is looked at only when the points are used up: nothing is paid for an honest peer. */
  private fill(nowMs: number): void {
    const gained = ((nowMs - this.filledMs) / 1000) * this.size.perSecond;
    this.points = Math.min(this.size.capacity, this.points + gained);
    this.filledMs = nowMs;
  }
}

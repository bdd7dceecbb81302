import { describe, expect, test } from '@jest/globals';
import { systemScheduler } from '../../src/jwks/ports.js';

describe('systemScheduler.after()', () => {
  test('runs, unless it was taken back', async () => {
    const ran: string[] = [];
    const cancel = systemScheduler.after(0, () => void ran.push('cancelled'));
    cancel();
    // A timer of the scheduler does not keep the process alive; this one does.
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => systemScheduler.after(1, resolve));
    clearInterval(alive);
    expect(ran).toEqual([]);
  });
});

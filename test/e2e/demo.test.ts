/** `npm run demo`, as a newcomer runs it. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { listensOn, startProcess, stopAll } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';

afterAll(stopAll);

const demo = (args: string[], ready?: (log: () => string) => boolean) => {
  let log = (): string => '';
  const started = startProcess(process.execPath, [inRepository('test/demo/main.mjs'), ...args], {
    name: 'demo',
    env: { NO_COLOR: '1' },
    readyTimeoutMs: 60_000,
  });
  return started.then(async (process) => {
    log = process.log;
    while (ready && process.isRunning() && !ready(log))
      await new Promise((resolve) => setTimeout(resolve, 100));
    return process;
  });
};

describe('npm run demo', () => {
  test('every row is as expected, and it ends by itself with 0', async () => {
    const process = await demo([]);
    const { code } = await process.exited;
    const lines = process.log().trimEnd().split('\n');
    expect(lines.filter((line) => line.includes('✗'))).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/^(\d+) of \1 rows as expected$/));
    expect(lines.at(-1)).toMatch(/http:\/\/127\.0\.0\.1:\d+\/metrics/);
    expect(code).toBe(0);
  }, 90_000);

  test('--keep leaves it running, and Ctrl-C ends everything', async () => {
    const process = await demo(['--keep'], (log) => log().includes('Ctrl-C ends everything'));
    const [, gate = ''] = /curl -i (http:\S+)\/me/.exec(process.log()) ?? [];
    expect((await fetch(`${gate}/me`)).status).toBe(401);
    await process.stop('SIGINT');
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(await listensOn(Number(new URL(gate).port))()).toBe(false);
  }, 90_000);
});

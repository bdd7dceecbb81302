import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createLog, openDestination } from '../../src/observability/log.js';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { until } from '../support/until.js';

function lines(options: Parameters<typeof createLog>[0]) {
  const written: string[] = [];
  const log = createLog(options, { write: (line) => void written.push(line) });
  return { log, written };
}

describe('createLog()', () => {
  test('writes one JSON object a line', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    log.info({ issuer: 'https://a.example' }, 'keys');
    expect(JSON.parse(written[0]!)).toMatchObject({
      level: 'info',
      issuer: 'https://a.example',
      msg: 'keys',
    });
    expect(written[0]!.indexOf('\n')).toBe(written[0]!.length - 1);
  });

  test('writes text for people', () => {
    const { log, written } = lines({ level: 'info', format: 'text' });
    log.warn({ issuer: 'https://a.example' }, 'old keys');
    expect(written[0]).toMatch(/ WARN {2}old keys issuer="https:\/\/a\.example"\n$/);
  });

  test('keeps a line a line, whatever a client sends', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    log.info({ path: '/a\n{"level":"info","msg":"forged"}' }, 'decision');
    expect(written).toHaveLength(1);
    expect(written[0]!.trimEnd().split('\n')).toHaveLength(1);
  });

  test('writes the name, message and cause of an error, and nothing that a library attached', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { token: 'secret-token' });
    log.error({ err: error }, 'failed');
    expect(JSON.parse(written[0]!)).toMatchObject({ err: { message: 'outer', cause: { message: 'inner' } } });
    expect(written[0]).not.toContain('secret-token');
  });

  test('changes its level while it runs', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    log.debug({}, 'unheard');
    log.level = 'debug';
    log.debug({}, 'heard');
    expect(written).toHaveLength(1);
  });

  test('leaves decision lines to log.decisions, whatever the level', () => {
    const { log, written } = lines({ level: 'warn', format: 'json' });
    log.info({}, 'unheard');
    log.decisions.info({}, 'decision');
    log.level = 'silent';
    log.decisions.info({}, 'decision');
    expect(written.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'decision',
      'decision',
    ]);
  });
});

/** Reads what is in a pipe. */
function readAll(fd: number): void {
  const chunk = Buffer.alloc(65_536);
  try {
    while (readSync(fd, chunk) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}

describe('openDestination()', () => {
  test('gives lines up, and counts them, while nobody reads, and holds no more than its bound', async () => {
    const pipe = scratchFile('stalled.fifo');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    let dropped = 0;
    const out = openDestination(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK), () => dropped++);
    const line = `${'x'.repeat(1023)}\n`;
    for (let count = 0; count < 12 * 1024; count++) out.write(line);
    expect(dropped).toBeGreaterThan(3 * 1024);
    expect(dropped).toBeLessThan(5 * 1024);
    let isClosed = false;
    out.on('close', () => (isClosed = true));
    out.end();
    await until(() => {
      readAll(reader);
      return isClosed;
    });
    closeSync(reader);
    await stopAll();
  });
});

import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { LineWriter, type LineWriterOptions } from '../../../src/observability/audit/line-writer.js';
import { scratchFile } from '../../support/processes.mjs';
import { until } from '../../support/until.js';

interface Opened {
  readonly writer: LineWriter;
  readonly failures: (string | undefined)[];
}

function open(file: string, options: Partial<LineWriterOptions> = {}): Opened {
  const failures: (string | undefined)[] = [];
  const writer = new LineWriter(
    { file },
    {
      mode: 0o600,
      maxWriteBytes: 1024,
      maxWaitingBytes: 10_000,
      onFailing: ({ code }) => void failures.push(code),
      onRecovered: () => void failures.push('recovered'),
      ...options,
    },
  );
  return { writer, failures };
}

describe('LineWriter', () => {
  test('creates a file that nobody else can read, and writes every line once, in order', async () => {
    const file = scratchFile('audit.jsonl');
    const { writer } = open(file);
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
    for (const line of lines.slice(0, 300)) writer.write(line);
    await until(() => readFileSync(file, 'utf8').length > 0);
    for (const line of lines.slice(300)) writer.write(line);
    await writer.close(5000);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(writer.lost).toBe(0);
  });

  test('reopen() goes on in a new file after the old one was renamed', async () => {
    const file = scratchFile('audit.jsonl');
    const { writer } = open(file);
    writer.write('before\n');
    await until(() => readFileSync(file, 'utf8') === 'before\n');
    renameSync(file, `${file}.1`);
    writer.reopen();
    await until(() => existsSync(file));
    writer.write('after\n');
    await writer.close(5000);
    expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['before\n', 'after\n']);
  });

  test('a disk that is full loses lines beyond the bound, counts them, and holds up nobody', async () => {
    const { writer, failures } = open('/dev/full', { maxWaitingBytes: 50 });
    for (let index = 0; index < 8; index++) writer.write('0123456789\n');
    expect(writer.lost).toBe(4);
    await until(() => failures.length > 0);
    expect(failures).toEqual(['ENOSPC']);
    // What waits is given up at the end.
    await writer.close(10);
    expect(writer.lost).toBe(8);
  });

  test('a file that cannot be opened is an error at once', () => {
    expect(() => open('/nowhere/audit.jsonl')).toThrow('ENOENT');
  });

  test('what comes after close() is lost, and counted', async () => {
    const { writer } = open(scratchFile('audit.jsonl'));
    await writer.close(1000);
    writer.write('late\n');
    expect(writer.lost).toBe(1);
  });
});

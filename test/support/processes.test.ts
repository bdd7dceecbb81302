import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { freePorts } from './free-port.mjs';
import { listensOn, scratchDirectory, startProcess, stopAll } from './processes.mjs';
import { inRepository } from './repository.mjs';
import { until } from './until.js';

afterAll(stopAll);

const FOREVER = 'setInterval(() => {}, 1000)';
const node = (script: string, options: object = {}) =>
  startProcess(process.execPath, ['-e', script], { name: 'child', ...options });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('startProcess()', () => {
  test('waits until it is ready, and keeps what it writes', async () => {
    const { port } = await freePorts('port');
    const script = `console.log('hello'); setTimeout(() => require('net').createServer().listen(${port}, '127.0.0.1'), 50)`;
    const child = await node(script, { ready: listensOn(port) });
    expect(await listensOn(port)()).toBe(true);
    expect(child.log()).toBe('hello\n');
    await child.stop();
    expect(child.isRunning()).toBe(false);
  });

  test('reports what a program wrote that ended too soon', async () => {
    const started = node('console.error("bad news"); process.exit(3)', { ready: async () => false });
    await expect(started).rejects.toThrow(/ended before it was ready:\nbad news/);
  });

  test('reports that a program is not there', async () => {
    const started = startProcess('/no/such/program', [], { name: 'ghost', ready: async () => false });
    await expect(started).rejects.toThrow(
      /ghost ended before it was ready:\nspawn \/no\/such\/program ENOENT/,
    );
  });

  test('ends a program that was never ready', async () => {
    const started = node(`console.log(process.pid); ${FOREVER}`, {
      ready: async () => false,
      readyTimeoutMs: 2000,
    });
    const message = await started.then(String, String);
    expect(message).toContain('was not ready within 2000 ms');
    expect(isAlive(Number(/^\d+$/m.exec(message)?.[0]))).toBe(false);
  });
});

describe('stopAll()', () => {
  test('ends what runs and removes the logs', async () => {
    const child = await node(FOREVER);
    const directory = scratchDirectory();
    await stopAll();
    expect([isAlive(child.pid), existsSync(directory)]).toEqual([false, false]);
  });
});

describe('the leash', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'ends the children of a process that dies of %s',
    async (signal) => {
      const source = `
      import { startProcess } from ${JSON.stringify(inRepository('test/support/processes.mjs'))};
      const child = await startProcess(process.execPath, ['-e', ${JSON.stringify(FOREVER)}], { name: 'orphan' });
      console.log(child.pid);
      ${FOREVER};`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const pid = await new Promise<number>((resolve) =>
        createInterface({ input: parent.stdout }).once('line', (line) => resolve(Number(line))),
      );
      expect(isAlive(pid)).toBe(true);
      parent.kill(signal);
      await until(() => !isAlive(pid));
    },
  );
});

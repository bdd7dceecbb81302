import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { withSocketMode } from '../../../src/fronts/envoy/unix-socket.js';

let dir: string;
let umask: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portcullis-socket-'));
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(dir, { recursive: true });
});

describe('withSocketMode()', () => {
  test('a socket is never open to others, whatever the mask of the process', async () => {
    const path = join(dir, 'p.sock');
    const server = createServer();
    const modes: number[] = [];
    await withSocketMode(`unix:${path}`, async () => {
      await new Promise<void>((resolve) => server.listen(path, resolve));
      modes.push(statSync(path).mode & 0o777);
    });
    modes.push(statSync(path).mode & 0o777);
    server.close();
    expect(modes).toEqual([0o660, 0o660]);
    expect(process.umask(0)).toBe(0);
  });

  test('gives the mask back when opening fails', async () => {
    const failing = withSocketMode('unix:/nowhere/p.sock', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(process.umask(0)).toBe(0);
  });
});

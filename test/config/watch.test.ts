import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOfBytes } from '../../src/config/files.js';
import { loadConfig } from '../../src/config/load.js';
import { type ConfigWatcher, watchConfig, type WatchOptions } from '../../src/config/watch.js';

const NEVER_MS = 3_600_000;
let folder: string;
let file: string;
let changes: number;
let watcher: ConfigWatcher | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-watch-'));
  file = join(folder, 'gate.yaml');
  writeFileSync(file, 'one');
  changes = 0;
});

afterEach(() => {
  watcher?.close();
  rmSync(folder, { recursive: true });
});

/** A watch that looks only when it is told to. */
function watching(options: WatchOptions = {}): ConfigWatcher {
  watcher = watchConfig(file, () => (changes += 1), { pollMs: NEVER_MS, debounceMs: NEVER_MS, ...options });
  return watcher;
}

/** How editors and deployments write: beside it, then over it. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

describe('watchConfig() sees', () => {
  test.each<[name: string, act: () => void]>([
    ['a write', () => writeFileSync(file, 'two')],
    ['a write of the same length', () => writeFileSync(file, 'eno')],
    ['an atomic rename', () => replace(file, 'two')],
    ['a file that goes away', () => rmSync(file)],
  ])('%s', (_name, act) => {
    const { check } = bound(watching());
    expect(check()).toBe(false);
    act();
    expect([check(), check(), changes]).toEqual([true, false, 1]);
  });

  test('a file that changed between its load and the watch [security 10]', () => {
    const named = join(folder, 'key.pem');
    writeFileSync(named, 'old');
    const { digests } = { digests: { [named]: digestOfBytes(Buffer.from('old')) } };
    writeFileSync(named, 'new');
    const { check, watch } = bound(watching());
    watch([file, named], digests);
    expect([check(), check(), changes]).toEqual([true, false, 1]);
  });

  test('a file that comes back', () => {
    const { check } = bound(watching());
    rmSync(file);
    check();
    writeFileSync(file, 'one');
    expect([check(), changes]).toEqual([true, 2]);
  });

  test('the swap of a link to a folder, as Kubernetes does it, again and again', () => {
    rmSync(file);
    const swap = (version: string): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'gate.yaml'), version);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    swap('..v1');
    symlinkSync('..data/gate.yaml', file);
    const { check } = bound(watching());
    swap('..v2');
    expect(check()).toBe(true);
    swap('..v3');
    expect([check(), check(), changes]).toEqual([true, false, 2]);
  });

  test('a file that the configuration names, once it is told of it', () => {
    const secret = join(folder, 'secret');
    const { check, watch } = bound(watching());
    watch([file, secret]);
    writeFileSync(secret, 'x');
    expect(check()).toBe(true);
    watch([file]);
    writeFileSync(secret, 'y');
    expect(check()).toBe(false);
  });

  test('two files at once as one change', () => {
    const secret = join(folder, 'secret');
    const { check, watch } = bound(watching());
    watch([file, secret]);
    writeFileSync(file, 'two');
    writeFileSync(secret, 'x');
    expect([check(), changes]).toEqual([true, 1]);
  });

  test('what changed between loading and watching', () => {
    writeFileSync(file, 'issuers: [{ issuer: "https://a.example", audiences: [x] }]');
    const loaded = loadConfig(file);
    writeFileSync(file, 'issuers: [{ issuer: "https://b.example", audiences: [x] }]');
    expect(watching({ loaded }).check()).toBe(true);
  });
});

describe('watchConfig() ignores', () => {
  test('a file that was touched, or written again as it was', () => {
    const { check } = bound(watching());
    utimesSync(file, 1, 1);
    expect(check()).toBe(false);
    replace(file, 'one');
    expect([check(), changes]).toEqual([false, 0]);
  });

  test('other files of the folder', () => {
    const { check } = bound(watching());
    writeFileSync(join(folder, 'other'), 'x');
    expect(check()).toBe(false);
  });

  test('what was loaded and is still there', () => {
    writeFileSync(file, 'issuers: [{ issuer: "https://a.example", audiences: [x] }]');
    expect(watching({ loaded: loadConfig(file) }).check()).toBe(false);
  });

  test('everything after it was closed', () => {
    const open = watching();
    open.close();
    writeFileSync(file, 'two');
    expect([open.check(), changes]).toEqual([false, 0]);
  });
});

describe('watchConfig() calls by itself', () => {
  const changed = (options: WatchOptions, act: () => void): Promise<void> =>
    new Promise((resolve) => {
      watcher = watchConfig(file, resolve, options);
      act();
    });

  test('when it is told of a change', () =>
    changed({ pollMs: NEVER_MS, debounceMs: 1 }, () => replace(file, 'two')));

  test('when only the poll finds one', () =>
    changed({ pollMs: 5, debounceMs: 1 }, () => replace(file, 'two')));

  test('in a folder where something happens all the time', async () => {
    const noise = setInterval(() => writeFileSync(join(folder, 'noise'), 'x'), 1);
    await changed({ pollMs: NEVER_MS, debounceMs: 20 }, () => replace(file, 'two'));
    clearInterval(noise);
  });

  test('where the folder is not there yet', () => {
    file = join(folder, 'later', 'gate.yaml');
    return changed({ pollMs: 5, debounceMs: 1 }, () => {
      mkdirSync(join(folder, 'later'));
      writeFileSync(file, 'one');
    });
  });
});

function bound(of: ConfigWatcher) {
  return {
    check: () => of.check(),
    watch: (files: readonly string[], digests?: Record<string, string>) => of.watch(files, digests),
  };
}

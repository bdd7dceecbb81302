import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/problems.js';
import { createReloader } from '../../src/server/reload.js';
import { silentLogger } from '../../src/ports.js';

const config = (grpc: string): Config => ({ server: { grpc } }) as unknown as Config;

const boundOf = ({ server }: Config) => ({ 'server.grpc': server.grpc });

function reloader(load: () => Config, apply: (config: Config) => Promise<void> = async () => undefined) {
  const outcomes: string[] = [];
  const lines: object[] = [];
  const applied: Config[] = [];
  const reload = createReloader({
    load: async () => {
      const config = load();
      return { config, warnings: [], digests: {}, bound: boundOf(config) };
    },
    apply: async (next) => {
      await apply(next);
      applied.push(next);
    },
    started: boundOf(config('127.0.0.1:1')),
    reloaded: (result) => outcomes.push(result.outcome),
    log: {
      ...silentLogger,
      error: (fields) => lines.push(fields),
      warn: (_fields, message) => lines.push({ message }),
    },
  });
  return { reload, outcomes, lines, applied };
}

describe('createReloader()', () => {
  test('puts a good file in force', async () => {
    const { reload, outcomes, applied } = reloader(() => config('127.0.0.1:1'));
    await reload();
    expect(outcomes).toEqual(['success']);
    expect(applied).toHaveLength(1);
  });

  test('changes nothing for a bad file, and logs every problem', async () => {
    const { reload, outcomes, applied, lines } = reloader(() => {
      throw new ConfigError([
        { path: 'nope', text: 'is unknown' },
        { path: 'dpop.mode', text: 'must be one of off, optional, required' },
      ] as never);
    });
    await reload();
    expect(outcomes).toEqual(['failure']);
    expect(applied).toEqual([]);
    expect(JSON.stringify(lines)).toContain('dpop.mode');
  });

  test('counts a file that cannot be put in force as a failure', async () => {
    const { reload, outcomes } = reloader(
      () => config('127.0.0.1:1'),
      () => Promise.reject(new Error('no')),
    );
    await reload();
    expect(outcomes).toEqual(['failure']);
  });

  test('says that ports change at the next start only', async () => {
    const { reload, lines } = reloader(() => config('127.0.0.1:2'));
    await reload();
    expect(JSON.stringify(lines)).toContain('server.grpc changed, and takes effect at the next start only');
  });

  test('answers a burst of calls with one reload, and none is lost', async () => {
    let loads = 0;
    const { reload } = reloader(() => {
      loads++;
      return config('127.0.0.1:1');
    });
    await Promise.all([reload(), reload(), reload()]);
    expect(loads).toBe(1);
    await reload();
    expect(loads).toBe(2);
  });
});

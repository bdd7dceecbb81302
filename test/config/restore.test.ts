import { describe, expect, test } from '@jest/globals';
import { restoreConfig } from '../../src/config/restore.js';
import type { Config } from '../../src/config/config.js';
import { read } from './config-file.js';

describe('restoreConfig()', () => {
  const copy = (config: Config): Config => JSON.parse(JSON.stringify(config)) as Config;

  test('freezes a copy all the way down, and takes the prototype from mappings with free keys', () => {
    const { config } = read({
      policies: { p: { claims: { tenant: ['acme'] } } },
      server: { authorities: { 'a.internal': 'p' } },
      identity: { headers: { 'x-user': 'sub' } },
    });
    const restored = restoreConfig(copy(config));
    expect(Object.isFrozen(restored.policies.p?.claims?.tenant)).toBe(true);
    expect(Object.isFrozen(restored.server.authorities)).toBe(true);
    expect('constructor' in restored.policies).toBe(false);
    expect('constructor' in restored.server.authorities).toBe(false);
    expect('constructor' in restored.identity.headers).toBe(false);
    expect(restored).toEqual(copy(config));
  });
});

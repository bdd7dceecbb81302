import { describe, expect, test } from '@jest/globals';
import { inRepository } from './repository.mjs';
import { needsOf, selectTests } from './test-needs.mjs';

describe('needsOf()', () => {
  test.each([
    ['test/config/yaml.test.ts', []],
    ['test/authz/query.test.ts', []],
    ['test/e2e/envoy.test.ts', ['build', 'envoy']],
    ['test/e2e/workers.test.ts', ['build']],
    ['test/stores/replay-redis.test.ts', ['redis']],
    ['test/token-service/postgres.test.ts', ['build', 'postgres']],
    ['test/e2e/demo.test.ts', ['build', 'envoy']],
  ])('finds what %s needs', (file, needs) => {
    expect([...needsOf(inRepository(file))]).toEqual(expect.arrayContaining(needs));
    if (needs.length === 0) expect([...needsOf(inRepository(file))]).toEqual([]);
  });
});

describe('selectTests()', () => {
  test('takes paths and parts of them, as jest does', () => {
    expect(selectTests(['test/config/yaml.test.ts'])).toEqual([inRepository('test/config/yaml.test.ts')]);
    expect(selectTests(['config/ya'])).toEqual([inRepository('test/config/yaml.test.ts')]);
    expect(selectTests(['nothing-like-that'])).toEqual([]);
    expect(selectTests([]).length).toBeGreaterThan(100);
  });
});

/** Runs the examples of docs/guides/opaque-tokens.md as they are written. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { createContext } from '../../src/authz/pipeline.js';
import { createProofKeys } from '../../src/authz/dpop/proof-keys.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { buildGate } from '../../src/gate.js';
import { IllFormedAnswerError, readAnswer } from '../../src/introspection/read-answer.js';
import { IntrospectionUnavailableError } from '../../src/introspection/types.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { authzRequest } from '../authz/contexts.js';
import { NOW_MS, testKey, TestIssuerKeys } from '../support/tokens.js';

const guide = readFileSync(new URL('../../docs/guides/opaque-tokens.md', import.meta.url), 'utf8');
const parts = guide.split(/^## /m).filter((part) => /^\d+\. /.test(part));
const rowsOf = (part: string): string[][] =>
  [...part.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
const clock = { now: () => NOW_MS };
const clientKey = JSON.stringify({
  ...testKey('ES256').privateKey.export({ format: 'jwk' }),
  kid: 'gate-1',
  alg: 'ES256',
});

function load(part: string): Config {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(part)?.[1] ?? '';
  const loaded = loadConfig('/portcullis.yaml', {
    env: { INTROSPECTION_SECRET: 'a secret' },
    readFile: (path) => Buffer.from(path.endsWith('gate-key.json') ? clientKey : yaml),
  });
  expect(loaded.warnings.filter(({ text }) => !text.includes('paths compare with their case'))).toEqual([]);
  return loaded.config;
}

/** A gate whose issuers all say the same. */
function gateOf(config: Config, says: string, asked: string[] = []) {
  const gate = buildGate(config, {
    compileCondition: undefined,
    keysOf: ({ issuer }) => new TestIssuerKeys(issuer, []),
    introspectorOf: ({ issuer }) => ({
      issuer,
      introspect() {
        asked.push(issuer);
        try {
          const claims = readAnswer(says);
          const untilMs = NOW_MS + 1000;
          return Promise.resolve(
            claims === undefined
              ? { active: false as const, untilMs }
              : { active: true as const, text: JSON.stringify(claims), untilMs },
          );
        } catch (error) {
          expect(error).toBeInstanceOf(IllFormedAnswerError);
          return Promise.reject(new IntrospectionUnavailableError(issuer, 'ill_formed'));
        }
      },
    }),
    ownKeys: undefined,
    askPersonalToken: () => Promise.resolve({ retryAfterS: 1 }),
    tokenCache: undefined,
    revocations: undefined,
    replay: createReplayMemory({ maxEntries: 10, clock }),
    proofKeys: createProofKeys(),
    identityTokens: undefined,
    metrics: { tokenCache: () => undefined, dpopProof: () => undefined, shadow: () => undefined },
    clock,
    onShadowDifference: () => undefined,
    onInternalError: (error) => {
      throw error;
    },
  });
  return async (token: string, path: string): Promise<string> => {
    const request = authzRequest({ path, headers: { authorization: `Bearer ${token}` } });
    const decision = await gate.pipeline.decide(createContext(request, NOW_MS));
    if (decision.kind === 'allow') return 'allowed';
    return `${decision.denial.entry.http} \`${decision.denial.code}\``;
  };
}

describe('docs/guides/opaque-tokens.md', () => {
  test.each(parts.map((part) => [part.slice(0, part.indexOf('\n')), part] as const))(
    '%s: the configuration is good',
    (_, part) => {
      expect(stringify(load(part))).toContain('introspection');
    },
  );

  test.each(rowsOf(parts[0]!))('an issuer that says %s: %s', async (says, answer) => {
    expect(await gateOf(load(parts[0]!), says)('opaque', '/')).toBe(
      answer.replace(/^(\d{3}) (\w+)$/, '$1 `$2`'),
    );
  });

  test.each(rowsOf(parts[2]!))('token %s at %s: %s is asked', async (token, path, who) => {
    const asked: string[] = [];
    await gateOf(load(parts[2]!), '{"active":false}', asked)(token, path);
    expect(asked.join() || 'nobody').toBe(who);
  });

  test('has rows', () => expect([rowsOf(parts[0]!).length, rowsOf(parts[2]!).length]).toEqual([10, 5]));
});

/** Runs the ten examples of docs/guides/policies.md as they are written. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { createContext } from '../../src/authz/pipeline.js';
import { compileCondition } from '../../src/authz/policy/condition.js';
import { createProofKeys } from '../../src/authz/dpop/proof-keys.js';
import type { Decision } from '../../src/authz/types.js';
import { loadConfig } from '../../src/config/load.js';
import { buildGate } from '../../src/gate.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { authzRequest } from '../authz/contexts.js';
import {
  AUDIENCE,
  ISSUER,
  mintToken,
  NOW_MS,
  NOW_S,
  replaceSegment,
  testKey,
  TestIssuerKeys,
} from '../support/tokens.js';

interface Row {
  readonly request: string;
  readonly token: string;
  readonly answer: string;
}

interface Example {
  readonly title: string;
  readonly config: string;
  readonly rows: Row[];
}

const guide = readFileSync(new URL('../../docs/guides/policies.md', import.meta.url), 'utf8');

function examplesOf(markdown: string): Example[] {
  return markdown
    .split(/^## /m)
    .filter((part) => /^\d+\. /.test(part))
    .map((part) => ({
      title: part.slice(0, part.indexOf('\n')),
      config: /```yaml\n([\s\S]*?)```/.exec(part)?.[1] ?? '',
      rows: [...part.matchAll(/^\| (.*?) +\| (.*?) +\| (.*?) +\|$/gm)]
        .map(([, request = '', token = '', answer = '']) => ({ request, token, answer }))
        .filter(({ request }) => request.startsWith('`')),
    }));
}

const examples = examplesOf(guide);

// ---- running a row ---------------------------------------------------------------------------------------------------

interface Outcome {
  readonly decision: Decision;
  readonly shadow: string | undefined;
}

const clock = { now: () => NOW_MS };

/** The gate of an example, with an issuer whose key the test holds. */
function gateOf(config: string) {
  const issuers = [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }];
  const text = stringify({ issuers, ...(parse(config) as object) });
  const loaded = loadConfig('/portcullis.yaml', { readFile: () => Buffer.from(text) });
  // Examples are short: each ends in a lax route for all paths.
  expect(loaded.warnings.filter(({ text }) => !text.includes('paths compare with their case'))).toEqual([]);
  let shadow: string | undefined;
  const gate = buildGate(loaded.config, {
    compileCondition,
    keysOf: () => new TestIssuerKeys(),
    introspectorOf: () => undefined,
    ownKeys: undefined,
    askPersonalToken: () => Promise.resolve({ retryAfterS: 1 }),
    tokenCache: undefined,
    revocations: undefined,
    replay: createReplayMemory({ maxEntries: 10, clock }),
    proofKeys: createProofKeys(),
    identityTokens: undefined,
    metrics: {
      tokenCache: () => undefined,
      dpopProof: () => undefined,
      shadow: (_policy, _shadow, _live, candidate) => {
        shadow = candidate;
      },
    },
    clock,
    onShadowDifference: () => undefined,
    onInternalError: (error) => {
      throw error;
    },
  });
  return async (row: Row): Promise<Outcome> => {
    shadow = undefined;
    const decision = await gate.pipeline.decide(createContext(requestOf(row), NOW_MS));
    return { decision, shadow };
  };
}

function tokenOf(text: string): string | undefined {
  if (text === 'none') return undefined;
  if (text === 'bad')
    return replaceSegment(mintToken(), 2, (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1));
  const claims = JSON.parse(codeOf(text)[0]!) as Record<string, unknown>;
  const [, minutes] = /^(\d+)m ago$/.exec(String(claims.auth_time)) ?? [];
  if (minutes !== undefined) claims.auth_time = NOW_S - Number(minutes) * 60;
  return mintToken({ claims: { sub: 'alice', scope: undefined, ...claims } });
}

function codeOf(text: string): string[] {
  return [...text.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code);
}

function requestOf({ request, token: tokenText }: Row) {
  const token = tokenOf(tokenText);
  const [line = '', ...rest] = codeOf(request.replaceAll('{token}', token ?? ''));
  const [method = '', url = ''] = line.split(' ');
  const [, host = 'api.example.com', target = ''] = /^(?:https:\/\/([^/]*))?(.*)$/.exec(url) ?? [];
  const [path = '', query] = target.split('?');
  const pairs = rest.map(
    (pair) => [pair.slice(0, pair.indexOf(': ')), pair.slice(pair.indexOf(': ') + 2)] as const,
  );
  const headers = Object.fromEntries(pairs.filter(([name]) => !name.startsWith('extension ')));
  if (token !== undefined && !request.includes('{token}')) headers.authorization = `Bearer ${token}`;
  const extensions = Object.fromEntries(
    pairs.filter(([name]) => name.startsWith('extension ')).map(([name, value]) => [name.slice(10), value]),
  );
  return authzRequest({ method, path, query, host, headers, extensions });
}

// ---- reading an answer -----------------------------------------------------------------------------------------------

/** An answer in the words of the guide, and only as much of it as the guide tells. */
function expectAnswer({ decision, shadow }: Outcome, answer: string): void {
  const verdict =
    decision.kind === 'allow' ? 'allowed' : `${decision.denial.entry.http} \`${decision.denial.code}\``;
  const [, wanted, told = ''] = /^(allowed|\d{3} `\w+`)(.*)$/.exec(answer) ?? [];
  expect(verdict).toBe(wanted);
  const [, candidate] = /shadow (allows|denies)/.exec(told) ?? [];
  if (candidate !== undefined) expect(shadow).toBe(candidate === 'allows' ? 'allow' : 'deny');
  if (decision.kind === 'allow') expectChanges(decision, told);
  else expectDetails(decision, told);
}

/** `with` header pairs, `without` header names, `without parameter` names. */
const CHANGES =
  /^(?:, with (?<set>(?:`[^`]*` ?)+))?(?:,? ?without (?<removed>(?:`[^`]*` ?)+))?(?:, without parameter (?<parameter>`[^`]*`))?(?:, shadow \w+)?$/;

function expectChanges({ upstream }: Decision & { kind: 'allow' }, told: string): void {
  expect(told).toMatch(CHANGES);
  const { set = '', removed = '', parameter = '' } = CHANGES.exec(told)?.groups ?? {};
  const pairs = upstream.set.map(([name, value]) => `${name}: ${value}`);
  if (set !== '') expect(pairs).toEqual(codeOf(set));
  expect(upstream.remove).toEqual(expect.arrayContaining(codeOf(removed)));
  expect(upstream.removeQuery).toEqual(codeOf(parameter));
}

function expectDetails({ denial }: Decision & { kind: 'deny' }, told: string): void {
  const details = Object.fromEntries(
    [...told.matchAll(/(\w+)=`([^`]*)`/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const { scope, acrValues, maxAgeS } = denial.details;
  const given = {
    scope,
    acr_values: acrValues,
    max_age: maxAgeS === undefined ? undefined : String(maxAgeS),
  };
  expect(given).toMatchObject(details);
}

test('the guide holds ten examples', () => {
  expect(examples).toHaveLength(10);
  for (const { rows, config } of examples) {
    expect(rows.length).toBeGreaterThan(3);
    expect(config).not.toBe('');
  }
});

for (const { title, config, rows } of examples) {
  describe(`docs/guides/policies.md, ${title}`, () => {
    const run = gateOf(config);
    test.each(rows.map((row) => [`${row.request} ${row.token}`, row] as const))('%s', async (_, row) => {
      expectAnswer(await run(row), row.answer);
    });
  });
}

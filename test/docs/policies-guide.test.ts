/** Runs the ten examples of docs/guides/policies.md as they are written, and the rest of the table of cases. */
import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { createRequest } from '../../src/authz/create-request.js';
import { Denial } from '../../src/authz/denial.js';
import { createContext } from '../../src/authz/pipeline.js';
import { compileCondition } from '../../src/authz/policy/condition.js';
import { createProofKeys } from '../../src/authz/dpop/proof-keys.js';
import type { Decision } from '../../src/authz/types.js';
import { loadConfig } from '../../src/config/load.js';
import { buildGate } from '../../src/gate.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { caseRequest, frontCaseGroups, type CaseGroup, type FrontCase } from '../support/front-cases.js';
import { frontCasesOf } from '../support/guide-cases.js';
import { NOW_MS, TestIssuerKeys } from '../support/tokens.js';

interface Outcome {
  readonly decision: Decision;
  readonly shadow: string | undefined;
}

const clock = { now: () => NOW_MS };

/** The gate of a group, with an issuer whose key the test holds. */
function gateOf({ config }: CaseGroup) {
  const loaded = loadConfig('/portcullis.yaml', { readFile: () => Buffer.from(stringify(config)) });
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
  return async (one: FrontCase): Promise<Outcome> => {
    shadow = undefined;
    try {
      const request = createRequest({ ...caseRequest(one, NOW_MS), contextExtensions: one.extensions });
      const decision = await gate.pipeline.decide(createContext(request, NOW_MS));
      return { decision, shadow };
    } catch (error) {
      if (!(error instanceof Denial)) throw error;
      const unread = createRequest({ method: 'GET', target: '/', host: '', headers: [] });
      return { decision: gate.pipeline.refuse(createContext(unread, NOW_MS), error), shadow };
    }
  };
}

/** As much of an answer as the case says. */
function expectAnswer({ decision, shadow }: Outcome, { expected }: FrontCase): void {
  if (decision.kind === 'deny') {
    const { code, details, entry } = decision.denial;
    expect({ outcome: 'deny', status: entry.http, code }).toEqual({
      outcome: expected.outcome,
      status: 'status' in expected ? expected.status : undefined,
      code: 'code' in expected ? expected.code : undefined,
    });
    const given = {
      scope: details.scope,
      acr_values: details.acrValues,
      max_age: details.maxAgeS === undefined ? undefined : String(details.maxAgeS),
    };
    if (expected.outcome === 'deny') expect(given).toMatchObject(expected.challenge ?? {});
  } else {
    expect(expected.outcome).toBe('allow');
    if (expected.outcome !== 'allow') return;
    const { set, remove, removeQuery } = decision.upstream;
    if (expected.set !== undefined) expect(set).toEqual(expected.set);
    expect(remove).toEqual(expect.arrayContaining([...expected.removed]));
    expect(removeQuery).toEqual(expected.removedQuery ?? []);
  }
  if (expected.shadow !== undefined) expect(shadow).toBe(expected.shadow);
}

test('the guide holds ten examples', () => {
  const examples = frontCasesOf();
  expect(examples).toHaveLength(10);
  for (const { cases, config } of examples) {
    expect(cases.length).toBeGreaterThan(3);
    expect(Object.keys(config).length).toBeGreaterThan(1);
  }
});

for (const group of frontCaseGroups()) {
  describe(`the table of cases, ${group.title}`, () => {
    const run = gateOf(group);
    test.each(group.cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
      expectAnswer(await run(one), one);
    });
  });
}

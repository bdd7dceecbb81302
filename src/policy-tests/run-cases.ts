/** Runs the cases of a table through the real pipeline, and compares. */
import { UNKNOWN_REQUEST } from '../authz/create-request.js';
import { Denial } from '../authz/denial.js';
import { createContext } from '../authz/pipeline.js';
import type { Decision } from '../authz/types.js';
import type { Config } from '../config/config.js';
import { meetsExpectation } from '../explain/expectation.js';
import { whyOf, type Why } from '../explain/why.js';
import { outcomeOf, reasonOf } from '../observability/metrics.js';
import type { CaseTable, ExpectedAnswer, PolicyCase } from './case-file.js';
import { requestOfCase } from './case-request.js';
import { createTestGate, type TestGate } from './test-gate.js';

/** What came of a case. Holds no token. */
export interface CaseResult {
  readonly name: string;
  readonly line: number;
  /** One text per part that differs; none: as expected. */
  readonly differences: readonly string[];
  /** The whole answer in a line, with the stage that refused. */
  readonly found: string;
}

/** Runs a table. Each case is judged by itself, except that a shared replay memory knows the proofs before it. */
export async function runCases(
  config: Config,
  { cases, nowMs: frozenMs }: CaseTable,
  presentMs: number,
): Promise<CaseResult[]> {
  const nowMs = frozenMs ?? presentMs;
  const test = await createTestGate(config, nowMs);
  const results: CaseResult[] = [];
  for (const one of cases) results.push(await runCase(one, { config, test, nowMs }));
  return results;
}

interface Run {
  readonly config: Config;
  readonly test: TestGate;
  readonly nowMs: number;
}

async function runCase(one: PolicyCase, run: Run): Promise<CaseResult> {
  const { test, config } = run;
  test.takeShadow();
  const { decision, stage } = await decide(one, run);
  const shadow = test.takeShadow();
  const why = whyOf(decision, config);
  const answer = { decision, why, shadow };
  return {
    name: one.name,
    line: one.line,
    differences: differencesOf(one.expected, answer),
    found: describe(answer, stage),
  };
}

async function decide(one: PolicyCase, run: Run): Promise<{ decision: Decision; stage: string }> {
  const { pipeline } = run.test.gate;
  let stage = 'decode';
  try {
    const request = requestOfCase(one, run);
    const decision = await pipeline.decide(createContext(request, run.nowMs), (name) => {
      stage = name;
    });
    return { decision, stage };
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    return { decision: pipeline.refuse(createContext(UNKNOWN_REQUEST, run.nowMs), error), stage };
  }
}

interface Answer {
  readonly decision: Decision;
  readonly why: Why | undefined;
  readonly shadow: 'allow' | 'deny' | undefined;
}

function describe({ decision, why }: Answer, stage: string): string {
  if (decision.kind === 'allow')
    return `allow (${reasonOf(decision)}, policy ${decision.ctx.match?.policy.name ?? 'none'})`;
  const rule =
    why === undefined
      ? ''
      : `, ${why.requirement}${described('expected', why.expected)}${described('found', why.found)}`;
  const policy = decision.ctx.match === undefined ? '' : `, policy ${decision.ctx.match.policy.name}`;
  return `${outcomeOf(decision)} ${decision.refusal.status} ${reasonOf(decision)} at ${stage}${policy}${rule}`;
}

function described(name: string, value: unknown): string {
  return value === undefined ? '' : ` ${name} ${JSON.stringify(value)}`;
}

function differencesOf(expected: string | ExpectedAnswer, answer: Answer): string[] {
  const { decision } = answer;
  if (typeof expected === 'string') {
    const outcome = {
      decision: outcomeOf(decision),
      reason: reasonOf(decision),
      response: decision.kind === 'deny' ? { http: decision.refusal.status } : { http: 200 },
    };
    return meetsExpectation(outcome, expected) ? [] : [`expected ${expected}`];
  }
  return [...partsOf(expected, answer)];
}

/** Compares as much as the case says. */
function* partsOf(expected: ExpectedAnswer, { decision, why, shadow }: Answer): Generator<string> {
  const is = (name: string, wanted: unknown, found: unknown): string[] =>
    wanted === undefined || wanted === found
      ? []
      : [
          `${name}: expected ${JSON.stringify(wanted)}, found ${found === undefined ? 'nothing' : JSON.stringify(found)}`,
        ];
  yield* is('outcome', expected.outcome, outcomeOf(decision));
  yield* is('reason', expected.reason, reasonOf(decision));
  yield* is('status', expected.status, decision.kind === 'deny' ? decision.refusal.status : 200);
  yield* is('policy', expected.policy, decision.ctx.match?.policy.name);
  yield* is('rule', expected.rule, why?.requirement);
  yield* is('shadow', expected.shadow, shadow);
  for (const [name, value] of Object.entries(expected.challenge ?? {}))
    yield* is(`challenge ${name}`, value, challengeOf(decision)[name]);
  const changes = decision.kind === 'allow' ? decision.upstream : { set: [], remove: [], removeQuery: [] };
  const set = new Map(changes.set);
  for (const [name, value] of Object.entries(expected.headers ?? {}))
    yield* is(`header ${name}`, value, set.get(name.toLowerCase()));
  for (const name of expected.without ?? [])
    if (!changes.remove.includes(name.toLowerCase()))
      yield `header ${name}: expected to be removed, and is not`;
  for (const name of expected.withoutQuery ?? [])
    if (!changes.removeQuery.includes(name))
      yield `query parameter ${name}: expected to be removed, and is not`;
}

function challengeOf(decision: Decision): Readonly<Record<string, string | undefined>> {
  if (decision.kind === 'allow') return {};
  const { scope, acrValues, maxAgeS } = decision.denial.details;
  return { scope, acr_values: acrValues, max_age: maxAgeS === undefined ? undefined : String(maxAgeS) };
}

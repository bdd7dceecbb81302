/** The table of cases through each style: a request is decided alike, whoever asks about it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STYLE_NAMES, STYLES, type StyleName } from '../../../src/fronts/forward-auth/styles.js';
import { caseRequest, frontCaseGroups, type CaseGroup, type FrontCase } from '../../support/front-cases.js';
import type { WireRequest, WireResponse } from '../../support/wire-client.mjs';
import { startHttpGate, type HttpGate } from '../../support/http-front.js';

/** The question that a proxy of this style asks. */
function questionOf(one: FrontCase, style: StyleName): WireRequest {
  const { method, target, host, headers } = caseRequest(one, Date.now());
  const { question } = STYLES[style];
  if (question === undefined) return { method, path: target, host, headers };
  const policy = one.extensions['portcullis.policy'];
  return {
    path: policy === undefined ? '/' : `/policy/${policy}`,
    host: 'portcullis.internal',
    headers: [
      ...headers,
      [question.method, method],
      ...(question.host === undefined ? [] : [[question.host, host] as const]),
      [question.target, question.host === undefined ? `https://${host}${target}` : target],
    ],
  };
}

/** Can the proxy ask this at all? Envoy names no policy by HTTP, and its own parser refuses methods in lower case. */
function canAsk({ extensions, request }: FrontCase, style: StyleName): boolean {
  if (STYLES[style].question !== undefined) return true;
  return Object.keys(extensions).length === 0 && request.method === request.method.toUpperCase();
}

/** What an answer is, in words that can be compared. */
function outcomeOf({ status, headers }: WireResponse, reason: string | undefined): object {
  const trueStatus = Number(headers['x-portcullis-status']?.[0] ?? status);
  if (status === 200) return { outcome: 'allow' };
  return { outcome: 'deny', status: trueStatus, code: reason };
}

/** A proxy without code cannot take out what its configuration cannot name, so such a request is refused. */
function expectedOutcome({ expected, request }: FrontCase, style: StyleName): object {
  const isOdd = request.headers.some(
    ([name]) => /[_.]|^x-portcullis-/.test(name) && removedIn(expected).includes(name.toLowerCase()),
  );
  if (expected.outcome === 'allow' && isOdd && STYLES[style].removal === 'none')
    return { outcome: 'deny', status: 400, code: 'malformed_request' };
  if (expected.outcome === 'allow') return { outcome: 'allow' };
  return { outcome: 'deny', status: expected.status, code: expected.code };
}

function removedIn(expected: FrontCase['expected']): readonly string[] {
  return expected.outcome === 'allow' ? expected.removed : [];
}

function expectChanges({ headers }: WireResponse, one: FrontCase, style: StyleName): void {
  const { expected } = one;
  if (expected.outcome !== 'allow') return;
  for (const [name, value] of expected.set ?? []) expect(headers[name]).toEqual([value]);
  const { removal } = STYLES[style];
  const list = headers[removal === 'envoy' ? 'x-envoy-auth-headers-to-remove' : 'x-portcullis-remove'];
  const removed = list?.[0]?.split(',') ?? [];
  for (const name of expected.removed) {
    if (removal === 'none') expect(headers[name]?.[0] ?? '').toBe('');
    else expect(removed).toContain(name);
  }
  const target = headers['x-portcullis-target']?.[0];
  for (const name of expected.removedQuery ?? []) expect(target).not.toContain(name);
  expect(target !== undefined).toBe((expected.removedQuery ?? []).length > 0);
}

async function runCases(gate: HttpGate, group: CaseGroup, style: StyleName): Promise<void> {
  const { client } = await gate.open(style);
  const cases = group.cases.filter((one) => canAsk(one, style));
  expect(cases.length).toBeGreaterThan(2);
  for (const one of cases) {
    const response = await client(questionOf(one, style));
    const given = { name: one.name, ...outcomeOf(response, gate.lastReason()) };
    const wanted = { name: one.name, ...expectedOutcome(one, style) };
    expect(given).toEqual(wanted);
    if (response.status === 200) expectChanges(response, one, style);
  }
}

for (const group of frontCaseGroups()) {
  describe(`the table of cases, ${group.title}`, () => {
    let gate: HttpGate;
    beforeAll(async () => {
      gate = await startHttpGate(group.config);
    });
    afterAll(() => gate.close());

    test.each(STYLE_NAMES)('%s', (style) => runCases(gate, group, style));
  });
}

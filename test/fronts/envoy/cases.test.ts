/** The table of cases through the gRPC front, bytes in and bytes out, in both forms in which Envoy sends headers. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  checkRequestBytes,
  decodeAnswer,
  metadataOf,
  type CheckAnswer,
} from '../../support/envoy-messages.js';
import { caseRequest, frontCaseGroups, type FrontCase } from '../../support/front-cases.js';
import { startHttpGate, type HttpGate } from '../../support/http-front.js';

async function answerOf(gate: HttpGate, one: FrontCase, raw: boolean): Promise<CheckAnswer> {
  const { method, target: path, host, headers } = caseRequest(one, Date.now());
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const bytes = checkRequestBytes({ method, path, host, headers: lower, extensions: one.extensions, raw });
  const call = { policy: undefined, authority: 'portcullis', deadlineMs: Infinity };
  return decodeAnswer(await gate.runtime.handler.check(bytes, call));
}

function expectAnswer(answer: CheckAnswer, { expected }: FrontCase): void {
  const { ok_response: ok, denied_response: denied } = answer;
  if (expected.outcome === 'deny') {
    const { status, code } = expected;
    expect([denied?.status?.code, metadataOf(answer).reason]).toEqual([status, code]);
    return;
  }
  expect(metadataOf(answer).reason).toMatch(/^(allowed|anonymous)$/);
  const set = (ok?.headers ?? []).map(({ header }) => [header.key, header.value]);
  if (expected.set !== undefined) expect(set).toEqual(expected.set);
  expect(ok?.headers_to_remove).toEqual(expect.arrayContaining([...expected.removed]));
  expect(ok?.query_parameters_to_remove ?? []).toEqual(expected.removedQuery ?? []);
}

/** Joined into one value two credentials are one that is malformed; Envoy's list keeps them apart. */
const isTwice = ({ request }: FrontCase): boolean =>
  new Set(request.headers.map(([name]) => name)).size < request.headers.length;

for (const group of frontCaseGroups()) {
  describe(`the table of cases, ${group.title}`, () => {
    let gate: HttpGate;
    beforeAll(async () => {
      gate = await startHttpGate(group.config);
    });
    afterAll(() => gate.close());

    test.each(group.cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
      expectAnswer(await answerOf(gate, one, true), one);
      if (!isTwice(one)) expectAnswer(await answerOf(gate, one, false), one);
    });
  });
}

/** The table of cases that every way in must answer alike, over HTTP through each framework. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DENIALS, createGate, type DenialCode, type Gate } from '../../src/index.js';
import { ADAPTERS, type AdapterServer, type Echo } from '../support/adapter-servers.js';
import { caseRequest, frontCaseGroups, type FrontCase } from '../support/front-cases.js';
import { askRaw, type RawAnswer } from '../support/raw-http.js';

/** Answered before any code of ours runs, in other words: by the parser of Node, or by the server of Hono. */
const NOT_OURS = /^(`get |a method in lower case)|^a backslash$/;
/** Fetch's URLs are normalised before any code of ours sees them: the request is judged, and served, as what it became. */
const NORMALISED = /\/\.\.\/|%2e%2e|^a backslash$|^a fragment$/;
/** Servers that ignore case might take it for the public part, so nobody is asked for a token there. */
const isOtherCase = (name: string): boolean => name.startsWith('`GET /Public/');

function assertAnswer({ expected, name }: FrontCase, answer: RawAnswer): void {
  if (expected.outcome === 'deny') {
    expect(answer.status).toBe(isOtherCase(name) ? 400 : expected.status);
    if (isOtherCase(name) || (NOT_OURS.test(name) && !answer.body.includes('decision_id'))) return;
    expect(answer.body).toContain(DENIALS[expected.code as DenialCode].text);
    for (const [parameter, value] of Object.entries(expected.challenge ?? {}))
      expect(answer.headers.get('www-authenticate')?.join()).toContain(`${parameter}="${value}"`);
    return;
  }
  expect(answer.status).toBe(200);
  if (answer.body === '') return;
  const { headers, url } = JSON.parse(answer.body) as Echo;
  const set = expected.set ?? [];
  for (const [header, value] of set) expect(headers[header]).toBe(value);
  for (const header of expected.removed)
    if (!set.some(([other]) => other === header)) expect(headers).not.toHaveProperty([header]);
  for (const parameter of expected.removedQuery ?? []) expect(url).not.toContain(`${parameter}=`);
}

describe.each(Object.keys(ADAPTERS))('portcullis/%s', (adapter) => {
  describe.each(frontCaseGroups().map((group) => [group.title, group] as const))('%s', (_title, group) => {
    let gate: Gate;
    let server: AdapterServer;

    beforeAll(async () => {
      gate = await createGate(group.config);
      server = await (ADAPTERS[adapter] as (typeof ADAPTERS)[string])(gate, {});
    });
    afterAll(async () => {
      await server.close();
      await gate.close();
    });

    // Context extensions are of Envoy's routes; here a handler names its policy.
    const cases = group.cases.filter(({ extensions }) => Object.keys(extensions).length === 0);
    test.each(cases.map((one) => [one.name, one] as const))('%s', async (name, one) => {
      const answer = await askRaw(server.port, caseRequest(one, Date.now()));
      if (adapter !== 'next' || !NORMALISED.test(name)) assertAnswer(one, answer);
      else if (answer.status !== 200) expect([400, 401]).toContain(answer.status);
      else expect(new URL((JSON.parse(answer.body) as Echo).url).pathname).toBe('/public/a');
    });
  });
});

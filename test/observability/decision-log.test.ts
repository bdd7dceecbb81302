import { describe, expect, test } from '@jest/globals';
import { createContext } from '../../src/authz/pipeline.js';
import type { CheckContext, Decision } from '../../src/authz/types.js';
import { createDecisionLog, type DecisionLogMode } from '../../src/observability/decision-log.js';
import { silentLogger } from '../../src/ports.js';
import { authzRequest, deniedFor, verifiedToken, type RequestParts } from '../authz/contexts.js';
import { mintToken } from '../support/tokens.js';

describe('createDecisionLog()', () => {
  const denial = (parts: RequestParts): Decision =>
    deniedFor('expired_token', createContext(authzRequest(parts), 0));
  const allow: Decision = {
    kind: 'allow',
    ctx: createContext(authzRequest(), 0),
    upstream: { set: [], remove: [], removeQuery: [] },
    responseHeaders: [],
    metadata: {},
  };

  function record(mode: DecisionLogMode, decision: Decision): Record<string, unknown>[] {
    const lines: Record<string, unknown>[] = [];
    const info = (fields: object) => void lines.push(fields as Record<string, unknown>);
    const error = (fields: object) => void lines.push({ ...fields, level: 'error' });
    const log = { ...silentLogger, info, error };
    createDecisionLog(log, () => mode)(decision, 1.23456);
    return lines;
  }

  test.each([
    ['all', 1, 1],
    ['denied', 0, 1],
    ['none', 0, 0],
  ] as const)('%s writes %d line of an allow and %d of a denial', (mode, allows, denials) => {
    expect(record(mode, allow)).toHaveLength(allows);
    expect(record(mode, denial({}))).toHaveLength(denials);
  });

  test('names who, what and why, and never the query or a credential', () => {
    const headers = { authorization: 'Bearer top-secret', 'x-request-id': 'r1' };
    const [line] = record('all', denial({ path: '/orders', query: 'access_token=top-secret', headers }));
    expect(line).toMatchObject({ decision: 'deny', reason: 'expired_token', method: 'GET', path: '/orders' });
    expect(line!.durationMs).toBe(1.235);
    expect(JSON.stringify(line)).not.toContain('top-secret');
  });

  test.each([
    ['a path parameter', '/orders;access_token=opq_secret', '/orders…'],
    ['an encoded semicolon', '/orders%3Baccess_token=opq_secret', '/orders…'],
    ['an encoded question mark', '/orders%3faccess_token=opq_secret', '/orders…'],
    ['a fragment', '/orders#access_token=opq_secret', '/orders…'],
    ['an encoded fragment', '/orders%23access_token=opq_secret', '/orders…'],
    ['a segment as long as a token', `/reset/${'s'.repeat(32)}/form`, '/reset/…/form'],
    ['a JWT', `/${'h'.repeat(40)}.${'p'.repeat(40)}.${'s'.repeat(40)}`, '/…'],
    ['a UUID, which is not a token', '/orders/0b0e4cf2-5a0d-4b6e-9f43-3a8f4f6f2f10', undefined],
    ['an ordinary path', '/orders/4711/items.json', undefined],
  ])('writes a path without a token in it: %s', (_, path, expected) => {
    expect(record('all', denial({ path }))[0]!.path).toBe(expected ?? path);
  });

  test.each([
    ['a UUID', 'b2a5e3a0-6f0e-4b4c-9a52-9d2f0d1c0001', 'b2a5e3a0-6f0e-4b4c-9a52-9d2f0d1c0001'],
    ['a trace id', '4bf92f3577b34da6a3ce929d0e0e4736', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['a short word', 'req-17', 'req-17'],
    ['a token', 'opq_Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFy', '…'],
  ])('writes %s as a request id as it should', (_name, id, expected) => {
    const [line] = record('all', denial({ headers: { 'x-request-id': id } }));
    expect(line!.requestId).toBe(expected);
  });

  test('clips what a client can make long', () => {
    const [line] = record('all', denial({ path: '/a'.repeat(5000) }));
    expect(String(line!.path).length).toBeLessThan(300);
  });

  const token = verifiedToken({ claims: { aud: ['https://api.example.com', 'https://other.example'] } });
  const withToken = (): CheckContext => Object.assign(createContext(authzRequest(), 0), { token });
  const SUBJECT = {
    issuer: 'https://login.example.com',
    audience: ['https://api.example.com', 'https://other.example'],
    subject: 'user-alice',
    clientId: 'app',
  };

  test('names the subject of an allow and of a denial', () => {
    expect(record('all', { ...allow, ctx: withToken() })[0]).toMatchObject(SUBJECT);
    expect(record('all', deniedFor('insufficient_scope', withToken()))[0]).toMatchObject(SUBJECT);
  });

  test('has the id of the decision', () => {
    const ctx = createContext(authzRequest(), 0, 'd'.repeat(24));
    expect(record('all', { ...allow, ctx })[0]!.decisionId).toBe('d'.repeat(24));
    expect(record('all', deniedFor('no_route', ctx))[0]!.decisionId).toBe('d'.repeat(24));
  });

  test.each([
    [
      'a claim',
      'claim_mismatch',
      { requirement: 'claims.tenant', expected: new Set(['acme']), found: 'evil' },
    ],
    ['a role set', 'insufficient_role', { requirement: 'roles.any', expected: ['admin'], found: ['user'] }],
    [
      'a scope set',
      'insufficient_scope',
      { requirement: 'scopes.all', expected: ['a'], found: new Set(['b']) },
    ],
  ] as const)(
    'names the requirement that failed, what it expects and what was there: %s',
    (_name, code, mismatch) => {
      const [line] = record('all', deniedFor(code, withToken(), { mismatch }));
      const list = (value: unknown) => (value instanceof Set ? [...(value as Set<unknown>)] : value);
      expect(line).toMatchObject({
        requirement: mismatch.requirement,
        expected: list(mismatch.expected),
        found: list(mismatch.found),
      });
    },
  );

  test('names the policy that is unknown, as an error', () => {
    const mismatch = { requirement: 'context extension portcullis.policy', found: 'oders' };
    const [line] = record('all', deniedFor('unknown_policy', createContext(authzRequest(), 0), { mismatch }));
    expect(line).toMatchObject({ level: 'error', reason: 'unknown_policy', found: 'oders' });
  });

  const refused = (text: string): Decision => {
    const ctx = createContext(authzRequest(), 0);
    ctx.credential = { scheme: 'bearer', token: text, place: { kind: 'header', name: 'authorization' } };
    return deniedFor('untrusted_issuer', ctx);
  };

  test('says of a refused token what it says of itself, as unverified, without its text', () => {
    const text = mintToken({ claims: { iss: 'https://login.example.org', sub: 'user-mallory' } });
    const [line] = record('all', refused(text));
    expect(line).toMatchObject({
      unverified: true,
      issuer: 'https://login.example.org',
      subject: 'user-mallory',
    });
    const written = JSON.stringify(line);
    for (const segment of text.split('.')) expect(written).not.toContain(segment);
  });

  test.each([
    ['opaque text', 'opq_0123456789'],
    ['a payload that is not JSON', 'a.b.c'],
    ['a payload that is a list', `a.${Buffer.from('[1]').toString('base64url')}.c`],
    ['a payload beyond the bound', `a.${'A'.repeat(20_000)}.c`],
  ])('says nothing of a refused token that cannot be read: %s', (_name, text) => {
    const [line] = record('all', refused(text));
    expect(line).not.toHaveProperty('unverified');
    expect(JSON.stringify(line)).not.toContain(text);
  });

  test('bounds and redacts every field that a client or a token fills', () => {
    const jwt = mintToken();
    const long = 'x'.repeat(100_000);
    const many = Array.from({ length: 10_000 }, (_, index) => `r${index}`);
    const ctx = createContext(
      authzRequest({
        method: long,
        host: long,
        path: `/${'a/'.repeat(50_000)}`,
        headers: { 'x-request-id': long },
      }),
      0,
    );
    ctx.token = verifiedToken({ issuer: 'i', subject: long, clientId: jwt, claims: { aud: many } });
    const mismatch = { requirement: 'claims.x', expected: many, found: [long, jwt, { a: long }, [long]] };
    const line = JSON.stringify(record('all', deniedFor('claim_mismatch', ctx, { mismatch }))[0]);
    expect(line.length).toBeLessThan(4000);
    expect(line).not.toContain(jwt.slice(0, 40));
    const unverified = refused(
      mintToken({ claims: { iss: 'i'.repeat(5000), sub: jwt, client_id: 'c'.repeat(40), aud: many } }),
    );
    const second = JSON.stringify(record('all', unverified)[0]);
    expect(second.length).toBeLessThan(2000);
    expect(second).not.toContain(jwt.slice(0, 40));
  });
});

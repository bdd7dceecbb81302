import { describe, expect, test } from '@jest/globals';
import { Denial } from '../../src/authz/denial.js';
import { createContext } from '../../src/authz/pipeline.js';
import type { Decision } from '../../src/authz/types.js';
import { createDecisionLog, type DecisionLogMode } from '../../src/observability/decision-log.js';
import { createLog } from '../../src/observability/log.js';
import { silentLogger } from '../../src/ports.js';
import { authzRequest, type RequestParts } from '../authz/contexts.js';

function lines(options: Parameters<typeof createLog>[0]) {
  const written: string[] = [];
  const log = createLog(options, { write: (line) => void written.push(line) });
  return { log, written };
}

describe('createLog()', () => {
  test('writes one JSON object a line', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    log.info({ issuer: 'https://a.example' }, 'keys');
    expect(JSON.parse(written[0]!)).toMatchObject({
      level: 'info',
      issuer: 'https://a.example',
      msg: 'keys',
    });
    expect(written[0]!.indexOf('\n')).toBe(written[0]!.length - 1);
  });

  test('writes text for people', () => {
    const { log, written } = lines({ level: 'info', format: 'text' });
    log.warn({ issuer: 'https://a.example' }, 'old keys');
    expect(written[0]).toMatch(/ WARN {2}old keys issuer="https:\/\/a\.example"\n$/);
  });

  test('keeps a line a line, whatever a client sends', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    log.info({ path: '/a\n{"level":"info","msg":"forged"}' }, 'decision');
    expect(written).toHaveLength(1);
    expect(written[0]!.trimEnd().split('\n')).toHaveLength(1);
  });

  test('tells of an error its words, its cause and nothing that a library attached', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { token: 'secret-token' });
    log.error({ err: error }, 'failed');
    expect(JSON.parse(written[0]!)).toMatchObject({ err: { message: 'outer', cause: { message: 'inner' } } });
    expect(written[0]).not.toContain('secret-token');
  });

  test('changes its level while it runs', () => {
    const { log, written } = lines({ level: 'info', format: 'json' });
    log.debug({}, 'unheard');
    log.level = 'debug';
    log.debug({}, 'heard');
    expect(written).toHaveLength(1);
  });
});

describe('createDecisionLog()', () => {
  const denial = (parts: RequestParts): Decision => ({
    kind: 'deny',
    ctx: createContext(authzRequest(parts), 0),
    denial: new Denial('expired_token'),
    metadata: {},
  });
  const allow: Decision = {
    kind: 'allow',
    ctx: createContext(authzRequest(), 0),
    upstream: { set: [], remove: [], removeQuery: [] },
    responseHeaders: [],
    metadata: {},
  };

  function record(mode: DecisionLogMode, decision: Decision): Record<string, unknown>[] {
    const told: Record<string, unknown>[] = [];
    const log = {
      ...silentLogger,
      info: (fields: object) => void told.push(fields as Record<string, unknown>),
    };
    createDecisionLog(log, () => mode)(decision, 1.23456);
    return told;
  }

  test.each([
    ['all', 1, 1],
    ['denied', 0, 1],
    ['none', 0, 0],
  ] as const)('%s writes %d line of an allow and %d of a denial', (mode, allows, denials) => {
    expect(record(mode, allow)).toHaveLength(allows);
    expect(record(mode, denial({}))).toHaveLength(denials);
  });

  test('tells who, what and why, and never the query or a credential', () => {
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
    ['a UUID, which is none', '/orders/0b0e4cf2-5a0d-4b6e-9f43-3a8f4f6f2f10', undefined],
    ['an ordinary path', '/orders/4711/items.json', undefined],
  ])('tells a path without a token in it: %s', (_, path, told) => {
    expect(record('all', denial({ path }))[0]!.path).toBe(told ?? path);
  });

  test.each([
    ['a UUID', 'b2a5e3a0-6f0e-4b4c-9a52-9d2f0d1c0001', 'b2a5e3a0-6f0e-4b4c-9a52-9d2f0d1c0001'],
    ['a trace id', '4bf92f3577b34da6a3ce929d0e0e4736', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['a short word', 'req-17', 'req-17'],
    ['a token', 'opq_Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFy', '…'],
  ])('tells %s as a request id as it should', (_name, id, expected) => {
    const [line] = record('all', denial({ headers: { 'x-request-id': id } }));
    expect(line!.requestId).toBe(expected);
  });

  test('clips what a client can make long', () => {
    const [line] = record('all', denial({ path: '/a'.repeat(5000) }));
    expect(String(line!.path).length).toBeLessThan(300);
  });
});

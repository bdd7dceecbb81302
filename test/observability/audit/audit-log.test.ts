import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { Denial } from '../../../src/authz/denial.js';
import { createContext } from '../../../src/authz/pipeline.js';
import type { CheckContext, Decision } from '../../../src/authz/types.js';
import { AUDIT_FIELDS } from '../../../src/observability/audit/audit-fields.js';
import { formatAuditLine, MAX_LINE_BYTES } from '../../../src/observability/audit/audit-line.js';
import { openAuditLog } from '../../../src/observability/audit/audit-log.js';
import { createDecisionRecord } from '../../../src/observability/audit/audit-record.js';
import { silentLogger } from '../../../src/ports.js';
import { authzRequest, deniedFor, NOW_MS, verifiedToken, type RequestParts } from '../../authz/contexts.js';
import { scratchFile } from '../../support/processes.mjs';
import { accessClaims, mintToken, testKey } from '../../support/tokens.js';

const SECRET_CLAIMS = { email: 'person@example.com', nonce_like: 'top-secret-value' };

/** A context with a token that was sent and, if `verified`, accepted. */
function contextOf(claims: object, verified: boolean, parts: RequestParts = {}): CheckContext {
  const all = { ...accessClaims(), ...claims };
  const token = mintToken({ key: testKey('ES256'), claims: all });
  const headers = { authorization: `Bearer ${token}`, 'x-request-id': 'r1' };
  const ctx = createContext(authzRequest({ ...parts, headers }), NOW_MS, 'decision-1');
  ctx.credential = { scheme: 'bearer', token, place: { kind: 'header', name: 'authorization' } };
  if (verified) ctx.token = { ...verifiedToken({}), claims: all };
  return ctx;
}

const allowed = (ctx: CheckContext): Decision => ({
  kind: 'allow',
  ctx,
  upstream: { set: [], remove: [], removeQuery: [] },
  responseHeaders: [],
  metadata: {},
});

const lineOf = (decision: Decision): Record<string, any> =>
  JSON.parse(formatAuditLine(createDecisionRecord()(decision)));

describe('an audit line', () => {
  test('says who came through whom, with which key, and what for', () => {
    const act = { sub: 'agent', iss: 'https://agents.example', act: { sub: 'inner', client_id: 'c2' } };
    const line = lineOf(allowed(contextOf({ act, jti: 'j-1' }, true, { path: '/orders/1' })));
    expect(line).toMatchObject({
      time: new Date(NOW_MS).toISOString(),
      type: 'decision',
      decisionId: 'decision-1',
      outcome: 'allow',
      reason: 'allowed',
      path: '/orders/1',
      verified: true,
      tokenId: 'j-1',
      keyId: 'ES256-1',
      actors: [
        { subject: 'agent', issuer: 'https://agents.example' },
        { subject: 'inner', clientId: 'c2' },
      ],
    });
  });

  test('of a token that was refused has its words marked as unverified, and no key id', () => {
    const ctx = contextOf({ sub: 'mallory' }, false);
    const line = lineOf(deniedFor('invalid_signature', ctx));
    expect(line).toMatchObject({ outcome: 'deny', status: 401, verified: false, subject: 'mallory' });
    expect(line).not.toHaveProperty('keyId');
    expect(line).not.toHaveProperty('actors');
  });

  test('names the requirement that was not met', () => {
    const ctx = contextOf({}, true);
    const decision = {
      ...deniedFor('claim_mismatch', ctx),
      denial: new Denial('claim_mismatch', { mismatch: { requirement: 'claims.tenant', found: 'acme' } }),
    };
    expect(lineOf(decision as Decision)).toMatchObject({ rule: 'claims.tenant' });
  });

  test.each([
    ['allowed', true],
    ['refused', false],
  ])('of a request that was %s holds no credential, no query and no claim beyond the list', (_, verified) => {
    const ctx = contextOf(SECRET_CLAIMS, verified, { query: 'access_token=top-secret-value' });
    const decision = verified ? allowed(ctx) : deniedFor('expired_token', ctx);
    const text = formatAuditLine(createDecisionRecord()(decision));
    for (const secret of [
      ...Object.values(SECRET_CLAIMS),
      ctx.credential!.token,
      ctx.credential!.token.split('.')[2]!,
    ])
      expect(text).not.toContain(secret);
    expect(Object.keys(AUDIT_FIELDS)).toEqual(expect.arrayContaining(Object.keys(JSON.parse(text))));
  });

  test.each([
    ['texts', { sub: 's'.repeat(60_000), jti: 'j'.repeat(60_000) }, '/' + 'a-b/'.repeat(10_000)],
    ['characters that are not ASCII', { sub: '\u202e\u{1f600}'.repeat(5000) }, '/\u2028'.repeat(500)],
    [
      'actors',
      { act: Array.from({ length: 100 }).reduce<object>((act) => ({ sub: 'x'.repeat(9000), act }), {}) },
      '/',
    ],
  ])('is bounded, whatever the length of %s', (_, claims, path) => {
    const line = formatAuditLine(
      createDecisionRecord()(allowed(contextOf(claims, true, { path, host: 'h'.repeat(9000) }))),
    );
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX_LINE_BYTES);
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(() => JSON.parse(line)).not.toThrow();
  });
});

describe('openAuditLog()', () => {
  const clock = { now: () => NOW_MS };

  test('is nothing where nothing is configured', () => {
    expect(openAuditLog(undefined, { clock, log: silentLogger })).toBeUndefined();
  });

  test('writes decisions and administration into one file', async () => {
    const file = scratchFile('audit.jsonl');
    const audit = openAuditLog({ file }, { clock, log: silentLogger })!;
    audit.decided(allowed(contextOf({}, true)));
    audit.administered({ action: 'revoke', outcome: 'ok', kind: 'sub', subject: 'x', issuer: undefined });
    await audit.close();
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { type: 'decision' },
      { type: 'administration', action: 'revoke', subject: 'x', time: new Date(NOW_MS).toISOString() },
    ]);
  });

  test('a file that cannot be opened is a reason not to start', () => {
    expect(() => openAuditLog({ file: '/nowhere/a' }, { clock, log: silentLogger })).toThrow(
      'audit.file cannot be opened (ENOENT)',
    );
  });
});

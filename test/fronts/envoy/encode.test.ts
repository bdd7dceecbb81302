import { describe, expect, test } from '@jest/globals';
import { Denial, DENIALS, type DenialCode, type DenialDetails } from '../../../src/authz/denial.js';
import { createContext } from '../../../src/authz/pipeline.js';
import { parseRequest } from '../../../src/fronts/envoy/decode.js';
import { createRefusalBuilder, type RefusalBuilder } from '../../../src/authz/refusal.js';
import { createAnswerBytes } from '../../../src/fronts/envoy/answer-bytes.js';
import type { Allow, Deny, Policy } from '../../../src/authz/types.js';
import {
  checkRequestBytes,
  decodeAnswer,
  valuesOf,
  type RequestInput,
} from '../../support/envoy-messages.js';

const builder = { build: createAnswerBytes() };
const refusalOf = createRefusalBuilder({ dpop: { algorithms: ['ES256', 'EdDSA'] }, failure: 'deny' });
const CODES = Object.keys(DENIALS) as DenialCode[];
const POLICY: Policy = {
  name: 'p',
  access: 'required',
  issuers: undefined,
  challengeScope: '',
  requirements: [],
  conditionHeaders: [],
  senderConstraint: undefined,
  consumeProof: true,
  corsPreflight: false,
  corsOrigins: new Set(['https://app.example.com']),
  errors: 'oauth',
  shadow: undefined,
};

function contextOf(input: RequestInput, policy?: Policy) {
  const ctx = createContext(
    parseRequest(checkRequestBytes(input), { policy: undefined, authority: undefined }),
    0,
  );
  if (policy !== undefined) ctx.match = { policy, source: 'route', params: {} };
  return ctx;
}

function denied(
  code: DenialCode,
  {
    input = {},
    policy,
    details,
    refuse = refusalOf,
  }: { input?: RequestInput; policy?: Policy; details?: DenialDetails; refuse?: RefusalBuilder } = {},
): Deny {
  const ctx = contextOf(input, policy);
  const denial = new Denial(code, details ?? (code === 'dpop_nonce_required' ? { nonce: 'fresh' } : {}));
  return { kind: 'deny', ctx, denial, refusal: refuse(ctx, denial), metadata: { reason: code } };
}

function allowed(changes: Partial<Allow['upstream']>, over: Partial<Allow> = {}): Allow {
  return {
    kind: 'allow',
    ctx: contextOf({}),
    upstream: { set: [], remove: [], removeQuery: [], ...changes },
    responseHeaders: [],
    metadata: {},
    ...over,
  };
}

describe('createAnswerBytes() denials', () => {
  test.each(CODES)('%s: a non-zero code that Envoy takes as a denial, and a full denied_response', (code) => {
    const answer = decodeAnswer(builder.build(denied(code)));
    const { http } = DENIALS[code];
    expect(answer.status?.code).toBe(http === 401 ? 16 : 7);
    expect(answer.denied_response?.status?.code).toBe(http);
    expect(answer.ok_response).toBeUndefined();
    expect(valuesOf(answer.denied_response?.headers, 'cache-control')).toEqual(['no-store']);
    expect(valuesOf(answer.denied_response?.headers, 'content-type')).toEqual(['application/json']);
    const body = JSON.parse(answer.denied_response?.body ?? '') as Record<string, unknown>;
    expect(Object.keys(body)).toEqual(['error', 'error_description', 'decision_id']);
    expect(answer.dynamic_metadata).toBeDefined();
  });

  test.each(CODES)('%s: the wire never holds `append`, and every field has its action', (code) => {
    const answer = decodeAnswer(builder.build(denied(code)));
    for (const option of answer.denied_response?.headers ?? []) {
      expect(option.append).toBeFalsy();
      expect(option.append_action).toBe(0);
    }
  });

  test.each(CODES.filter((code) => DENIALS[code].http === 401))('%s: a challenge', (code) => {
    const values = valuesOf(
      decodeAnswer(builder.build(denied(code))).denied_response?.headers,
      'www-authenticate',
    );
    const { error } = DENIALS[code];
    expect(values.length).toBe(code === 'missing_credential' ? 2 : 1);
    if (error !== undefined) expect(values[0]).toContain(`error="${error}"`);
  });

  test('missing_credential offers Bearer, and DPoP with its algorithms, without an error', () => {
    const values = valuesOf(
      decodeAnswer(builder.build(denied('missing_credential'))).denied_response?.headers,
      'www-authenticate',
    );
    expect(values).toEqual(['Bearer realm="portcullis"', 'DPoP algs="ES256 EdDSA"']);
  });

  test('missing_credential offers no DPoP where it is off', () => {
    const refuse = createRefusalBuilder({ dpop: undefined, failure: 'deny' });
    const answer = decodeAnswer(builder.build(denied('missing_credential', { refuse })));
    expect(valuesOf(answer.denied_response?.headers, 'www-authenticate')).toEqual([
      'Bearer realm="portcullis"',
    ]);
  });

  test('a nonce denial has exactly one DPoP-Nonce', () => {
    const answer = decodeAnswer(builder.build(denied('dpop_nonce_required')));
    expect(valuesOf(answer.denied_response?.headers, 'dpop-nonce')).toEqual(['fresh']);
  });

  test.each(CODES.filter((code) => DENIALS[code].http === 503))('%s: Retry-After', (code) => {
    const answer = decodeAnswer(builder.build(denied(code)));
    expect(valuesOf(answer.denied_response?.headers, 'retry-after')).toEqual(['1']);
  });

  test.each([
    ['scope', 'insufficient_scope', { scope: 'orders:write' }, 'scope="orders:write"'],
    ['acr_values', 'step_up_required', { acrValues: 'urn:mfa' }, 'acr_values="urn:mfa"'],
    ['max_age', 'step_up_required', { maxAgeS: 900 }, 'max_age="900"'],
    ['a quote in a scope', 'insufficient_scope', { scope: 'a"b' }, 'scope="a\\"b"'],
  ] as const)('puts %s into the challenge', (_name, code, details, expected) => {
    const answer = decodeAnswer(builder.build(denied(code, { details })));
    expect(valuesOf(answer.denied_response?.headers, 'www-authenticate')[0]).toContain(expected);
  });

  test('a HEAD request gets no body', () => {
    const answer = decodeAnswer(builder.build(denied('expired_token', { input: { method: 'HEAD' } })));
    expect(answer.denied_response?.body ?? '').toBe('');
  });

  test.each([
    ['401', 'expired_token', '16'],
    ['400', 'malformed_credential', '3'],
    ['403', 'insufficient_role', '7'],
    ['503', 'keys_unavailable', '14'],
  ] as const)('a gRPC call denied with %s gets its grpc-status and plain text', (_name, code, expected) => {
    const input: RequestInput = { method: 'POST', headers: [['content-type', 'application/grpc']] };
    const answer = decodeAnswer(builder.build(denied(code, { input })));
    expect(valuesOf(answer.denied_response?.headers, 'grpc-status')).toEqual([expected]);
    expect(answer.denied_response?.body).toBe(DENIALS[code].text);
  });

  test('a Connect call gets a Connect error', () => {
    const input: RequestInput = { method: 'POST', headers: [['connect-protocol-version', '1']] };
    const answer = decodeAnswer(builder.build(denied('expired_token', { input })));
    expect(JSON.parse(answer.denied_response?.body ?? '')).toEqual({
      code: 'unauthenticated',
      message: 'the token has expired',
    });
  });

  test.each([
    ['problem', 'application/problem+json', { status: 403, title: 'Forbidden' }],
    ['scim', 'application/scim+json', { status: '403' }],
  ] as const)('speaks %s where the policy says so', (errors, contentType, members) => {
    const policy: Policy = { ...POLICY, errors };
    const answer = decodeAnswer(builder.build(denied('insufficient_role', { policy })));
    expect(valuesOf(answer.denied_response?.headers, 'content-type')).toEqual([contentType]);
    expect(JSON.parse(answer.denied_response?.body ?? '')).toMatchObject(members);
  });

  test.each([
    ['a named origin', 'https://app.example.com', ['https://app.example.com']],
    ['another origin', 'https://evil.example', []],
    ['no origin', undefined, []],
  ])('CORS: %s', (_name, origin, expected) => {
    const headers = origin === undefined ? [] : [['origin', origin] as const];
    const answer = decodeAnswer(
      builder.build(denied('expired_token', { input: { headers }, policy: POLICY })),
    );
    expect(valuesOf(answer.denied_response?.headers, 'access-control-allow-origin')).toEqual(expected);
  });

  const refuseOpenly = createRefusalBuilder({ dpop: undefined, failure: 'error' });
  const outage = (code: DenialCode, refuse?: RefusalBuilder): Deny =>
    denied(code, { details: { isOutage: true }, ...(refuse === undefined ? {} : { refuse }) });

  test.each(CODES)('failure: error leaves %s a denied_response', (code) => {
    const answer = decodeAnswer(builder.build(denied(code, { refuse: refuseOpenly })));
    expect(answer.denied_response?.status?.code).toBe(DENIALS[code].http);
    expect(answer.error_response).toBeUndefined();
  });

  test.each(CODES)('failure: error and an outage: %s becomes an error_response by its row alone', (code) => {
    const answer = decodeAnswer(builder.build(outage(code, refuseOpenly)));
    expect(answer.error_response !== undefined).toBe(
      ['replay_unavailable', 'revocation_unavailable'].includes(code),
    );
    expect(answer.status?.code).toBeGreaterThan(0);
  });

  test('failure: deny leaves an outage a denied_response', () => {
    expect(decodeAnswer(builder.build(outage('replay_unavailable'))).denied_response).toBeDefined();
  });
});

describe('createAnswerBytes() allows', () => {
  test('an allow with nothing to say is still a full ok_response', () => {
    const bytes = builder.build(allowed({}));
    expect(bytes.length).toBeGreaterThan(0);
    const answer = decodeAnswer(bytes);
    expect(answer.ok_response).toBeDefined();
    expect(answer.status?.code ?? 0).toBe(0);
  });

  test('sets with overwrite-or-add, removes by name, and never appends', () => {
    const answer = decodeAnswer(
      builder.build(
        allowed(
          {
            set: [['x-user-id', 'alice']],
            remove: Object.freeze(['authorization', 'x_user_id']),
            removeQuery: ['access_token'],
          },
          {
            responseHeaders: [['dpop-nonce', 'n']],
            metadata: { sub: 'alice', n: 1, list: [true, null, { a: 'b' }] },
          },
        ),
      ),
    );
    const ok = answer.ok_response;
    expect(valuesOf(ok?.headers, 'x-user-id')).toEqual(['alice']);
    expect(ok?.headers?.[0]).toMatchObject({ append_action: 2 });
    expect(ok?.headers?.[0]?.append).toBeFalsy();
    expect(ok?.headers_to_remove).toEqual(['authorization', 'x_user_id']);
    expect(ok?.query_parameters_to_remove).toEqual(['access_token']);
    expect(ok?.response_headers_to_add?.[0]).toMatchObject({ append_action: 2 });
    expect(JSON.stringify(answer.dynamic_metadata)).toContain('alice');
  });
});

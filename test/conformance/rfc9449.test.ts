/** RFC 9449, and FAPI 2.0's resource-server negatives for it: each row names the clause that it holds the product to. */
import { describe, expect, test } from '@jest/globals';
import { Denial, DENIALS } from '../../src/authz/denial.js';
import { createProofVerifier } from '../../src/authz/dpop/proof.js';
import { createCertificateReader } from '../../src/authz/mtls/certificate.js';
import { createSenderConstraintStage } from '../../src/authz/stages/sender-constraint.js';
import { createSpendProofStage } from '../../src/authz/stages/spend-proof.js';
import type { CheckContext } from '../../src/authz/types.js';
import { jwkThumbprint } from '../../src/jwk/thumbprint.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { fakeContext, fakeHeaders } from '../support/fake-context.js';
import {
  athOf,
  bareJwk,
  BOUND_TOKEN,
  jktOf,
  mintProof,
  proofRules,
  testNonces,
  type ProofOptions,
} from '../support/proofs.js';
import { NOW_MS, NOW_S, testKey } from '../support/tokens.js';
import { readVectors } from '../support/vectors.js';

interface RfcProof {
  readonly proof: string;
  readonly clock: number;
  readonly request: { readonly method: string; readonly url: string; readonly access_token: string | null };
}
const rfc = readVectors('rfc9449-dpop') as {
  ath: { access_token: string; ath: string };
  jkt: { jwk: object; jkt: string };
  proofs: RfcProof[];
};

describe('RFC 9449, its own examples', () => {
  test('6.1: jkt', () => expect(jwkThumbprint(rfc.jkt.jwk)).toBe(rfc.jkt.jkt));
  test('7.1: ath', () => expect(athOf(rfc.ath.access_token)).toBe(rfc.ath.ath));

  const verify = ({ proof, clock, request }: RfcProof, over: { path?: string; method?: string } = {}) => {
    const { host, pathname } = new URL(request.url);
    return createProofVerifier(proofRules())(proof, {
      request: { host, method: over.method ?? request.method, path: over.path ?? pathname },
      token: { hash: athOf(request.access_token ?? ''), confirmation: { jkt: rfc.jkt.jkt } },
      nowMs: clock * 1000,
    });
  };
  const forResource = rfc.proofs.filter(({ request }) => request.access_token !== null);
  const forTokenEndpoint = rfc.proofs.filter(({ request }) => request.access_token === null);

  test.each(forResource)('7.1: the proof for $request.url is good at its time', (one) => {
    expect(verify(one).jkt).toBe(rfc.jkt.jkt);
    expect(() => verify({ ...one, clock: one.clock + 71 })).toThrow(denial('dpop_proof_time'));
    expect(() => verify(one, { method: 'POST' })).toThrow(denial('dpop_proof_method'));
    expect(() => verify(one, { path: '/other' })).toThrow(denial('dpop_proof_target'));
  });

  test.each(forTokenEndpoint)('4.2: the proof for $request.url has no ath, and serves no resource', (one) => {
    expect(() => verify(one)).toThrow(denial('dpop_proof_claims'));
  });
});

const denial = (code: string): unknown => expect.objectContaining({ code });

/** Proof check and replay check, as the pipeline runs them, with one memory for all of a test's requests. */
function resourceServer(nonce: 'off' | 'required' = 'off') {
  const metrics = { dpopProof: () => undefined };
  const nonces = nonce === 'off' ? undefined : testNonces();
  const constraint = createSenderConstraintStage({
    mode: 'optional',
    verifyProof: createProofVerifier(proofRules({ nonces })),
    readCertificate: createCertificateReader('envoy'),
    metrics,
  });
  const store = createReplayMemory({ maxEntries: 100, clock: { now: () => NOW_MS } });
  const spend = createSpendProofStage({ store, onUnavailable: 'deny', metrics });
  return (
    ...proofs: string[]
  ): { code: string; status: number; error: string | undefined; nonce?: string } => {
    try {
      const ctx = contextOf(proofs);
      void constraint.run(ctx);
      void spend.run(ctx);
      return { code: 'allowed', status: 200, error: undefined };
    } catch (error) {
      if (!(error instanceof Denial)) throw error;
      const { http, error: oauthError } = DENIALS[error.code];
      return { code: error.code, status: http, error: oauthError, ...error.details };
    }
  };
}

function contextOf(proofs: readonly string[]): CheckContext {
  const ctx = fakeContext({ headers: fakeHeaders({ dpop: proofs }) });
  ctx.credential = { scheme: 'dpop', token: BOUND_TOKEN, place: { kind: 'header', name: 'authorization' } };
  ctx.token = {
    issuer: 'https://login.example.com',
    hash: athOf(BOUND_TOKEN),
    claims: {},
    subject: undefined,
    clientId: undefined,
    scopes: new Set(),
    confirmation: { jkt: jktOf(testKey('ES256')) },
    expiresAtS: NOW_S + 300,
    notBeforeS: undefined,
    issuedAtS: undefined,
  };
  return ctx;
}

describe('RFC 9449 4.3, with the negatives of FAPI 2.0 for resource servers', () => {
  const key = testKey('ES256');
  const rsa = testKey('RS256');
  const rsaProof = { alg: 'RS256', key: rsa.privateKey } as const;
  const privateJwk = key.privateKey.export({ format: 'jwk' });

  test.each<[string, ProofOptions]>([
    ['a good proof', {}],
    ['check 9: the scheme in upper case', { claims: { htu: 'HTTPS://api.example.com/orders' } }],
    ['check 9: a query and a fragment', { claims: { htu: 'https://api.example.com/orders?a=b#c' } }],
    ['check 11: iat ten seconds ago', { claims: { iat: NOW_S - 10 } }],
    ['check 11: iat ten seconds ahead', { claims: { iat: NOW_S + 10 } }],
    ['4.2: exp, nbf and unknown claims', { claims: { exp: NOW_S + 60, nbf: NOW_S, any: 'thing' } }],
  ])('%s is accepted', (_, options) => expect(resourceServer()(mintProof(options)).code).toBe('allowed'));

  test.each<[string, ProofOptions]>([
    ['check 2: not a JWT', { rawPayload: 'text' }],
    ['check 3: no typ', { header: { typ: undefined } }],
    ['check 3: no alg', { header: { alg: undefined } }],
    ['check 3: no jwk', { header: { jwk: undefined } }],
    ['check 3: no jti', { claims: { jti: undefined } }],
    ['check 3: no htm', { claims: { htm: undefined } }],
    ['check 3: no htu', { claims: { htu: undefined } }],
    ['check 3: no iat', { claims: { iat: undefined } }],
    ['check 3: no ath', { claims: { ath: undefined } }],
    ['check 4: typ JWT', { header: { typ: 'JWT' } }],
    ['check 5: alg none', { header: { alg: 'none' }, signature: { alg: 'none', key: key.privateKey } }],
    [
      'check 5: a symmetric alg',
      { header: { alg: 'HS256' }, signature: { alg: 'HS256', key: Buffer.alloc(32) } },
    ],
    ['check 5: RS256 over an EC key', { header: { alg: 'RS256' }, signature: rsaProof }],
    [
      'check 6: signed with another key',
      { signature: { alg: 'ES256', key: testKey('ES256', 'foreign').privateKey } },
    ],
    ['check 7: a private key', { header: { jwk: privateJwk } }],
    ['check 8: htm of another method', { claims: { htm: 'DELETE' } }],
    ['check 8: htm in lower case', { claims: { htm: 'get' } }],
    ['check 9: htu of another path', { claims: { htu: 'https://api.example.com/orders/1' } }],
    ['check 9: htu of another host', { claims: { htu: 'https://evil.example/orders' } }],
    ['check 9: htu of another scheme', { claims: { htu: 'http://api.example.com/orders' } }],
    ['check 9: htu of another port', { claims: { htu: 'https://api.example.com:8443/orders' } }],
    ['check 9: htu in another case', { claims: { htu: 'https://api.example.com/Orders' } }],
    ['check 11: iat an hour ago', { claims: { iat: NOW_S - 3600 } }],
    ['check 11: iat in an hour', { claims: { iat: NOW_S + 3600 } }],
    ['check 12: ath of another token', { token: 'another token' }],
    ['check 12: another key', { key: testKey('ES256', 'foreign') }],
    ['check 12: another key of another kind', { key: rsa, header: { jwk: bareJwk(rsa) } }],
  ])('%s is refused', (_, options) => {
    expect(resourceServer()(mintProof(options))).toMatchObject({ status: 401, error: 'invalid_dpop_proof' });
  });

  test('check 1: two proofs are 400', () => {
    expect(resourceServer()(mintProof(), mintProof())).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
  });

  test('11.1: a proof is taken once, and a refused one is not used up', () => {
    const send = resourceServer();
    const proof = mintProof();
    expect(send(proof).code).toBe('allowed');
    expect(send(proof)).toMatchObject({
      status: 401,
      error: 'invalid_dpop_proof',
      code: 'dpop_proof_replayed',
    });
    const jti = 'used in a proof that is refused';
    expect(send(mintProof({ claims: { jti, htm: 'POST' } })).status).toBe(401);
    expect(send(mintProof({ claims: { jti } })).code).toBe('allowed');
  });

  test('4.3, check 10, and 9: a nonce is asked for with one of ours, and taken', () => {
    const send = resourceServer('required');
    const first = send(mintProof());
    expect(first).toMatchObject({ status: 401, error: 'use_dpop_nonce' });
    expect(send(mintProof({ claims: { nonce: first.nonce } })).code).toBe('allowed');
    expect(send(mintProof({ claims: { nonce: 'of another server' } })).error).toBe('use_dpop_nonce');
  });
});

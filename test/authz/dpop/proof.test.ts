import { describe, expect, test } from '@jest/globals';
import type { Denial } from '../../../src/authz/denial.js';
import { createProofKeys } from '../../../src/authz/dpop/proof-keys.js';
import { createProofVerifier } from '../../../src/authz/dpop/proof.js';
import { jwkThumbprint } from '../../../src/jwk/thumbprint.js';
import {
  athOf,
  bareJwk,
  BOUND_TOKEN,
  codeOf,
  denialOf,
  jktOf,
  mintProof,
  proofRules,
  proofUse,
  testNonces,
  verifyOnce,
} from '../../support/proofs.js';
import { NOW_MS, NOW_S, replaceSegment, testKey } from '../../support/tokens.js';
import type { AsymmetricAlgorithm } from '../../../src/jwk/types.js';

const boundTo = (jkt: string) => ({ token: { hash: athOf(BOUND_TOKEN), confirmation: { jkt } } });

describe('createProofVerifier() accepts', () => {
  test.each<AsymmetricAlgorithm>(['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'])('%s', (alg) => {
    const key = testKey(alg);
    expect(verifyOnce(mintProof({ key }), boundTo(jktOf(key))).jkt).toBe(jktOf(key));
  });

  test('a key with the members that WebCrypto exports', () => {
    const jwk = { ...bareJwk(testKey('ES256')), key_ops: ['verify'], ext: true, kid: 'mine' };
    expect(codeOf(() => verifyOnce(mintProof({ header: { jwk } })))).toBe('nothing');
  });

  test('claims that it does not know', () => {
    expect(codeOf(() => verifyOnce(mintProof({ claims: { client: 'x', nonce: 'unasked' } })))).toBe(
      'nothing',
    );
  });

  test('identifies a proof by key and jti, whatever the rest', () => {
    const claims = { jti: 'the same' };
    const one = verifyOnce(mintProof({ claims }));
    const other = verifyOnce(
      mintProof({ claims: { ...claims, iat: NOW_S - 5, htu: 'HTTPS://api.example.com/orders' } }),
    );
    const key = testKey('EdDSA');
    const foreign = verifyOnce(mintProof({ key, claims }), boundTo(jktOf(key)));
    expect(other.replayKey).toBe(one.replayKey);
    expect(foreign.replayKey).not.toBe(one.replayKey);
    expect(one.replayKey).toHaveLength(87);
    expect(one.replayKey).not.toContain('the same');
  });
});

describe('createProofVerifier() judges time', () => {
  test.each([
    ['iat an hour ago', { iat: NOW_S - 3600 }, 'dpop_proof_time'],
    ['iat in an hour', { iat: NOW_S + 3600 }, 'dpop_proof_time'],
    ['iat ten seconds ahead', { iat: NOW_S + 10 }, 'nothing'],
    ['iat eleven seconds ahead', { iat: NOW_S + 11 }, 'dpop_proof_time'],
    ['iat at the end of its window', { iat: NOW_S - 70 }, 'nothing'],
    ['iat past its window', { iat: NOW_S - 71 }, 'dpop_proof_time'],
    ['iat with a fraction', { iat: NOW_S - 0.5 }, 'nothing'],
    ['iat beyond all numbers', { iat: 1e308 }, 'dpop_proof_time'],
    ['iat long before the epoch', { iat: -1e308 }, 'dpop_proof_time'],
    ['exp ahead', { exp: NOW_S + 5 }, 'nothing'],
    ['exp just passed, within tolerance', { exp: NOW_S - 10 }, 'nothing'],
    ['exp passed', { exp: NOW_S - 11 }, 'dpop_proof_time'],
    ['exp that would outlive maxAge', { iat: NOW_S - 71, exp: NOW_S + 3600 }, 'dpop_proof_time'],
    ['nbf passed', { nbf: NOW_S - 5 }, 'nothing'],
    ['nbf ahead, within tolerance', { nbf: NOW_S + 10 }, 'nothing'],
    ['nbf ahead', { nbf: NOW_S + 11 }, 'dpop_proof_time'],
  ])('%s', (_, claims, code) => expect(codeOf(() => verifyOnce(mintProof({ claims })))).toBe(code));

  test.each([
    ['iat', { iat: NOW_S - 3 }, NOW_S - 3 + 70],
    ['exp where it is earlier', { iat: NOW_S, exp: NOW_S + 5 }, NOW_S + 15],
    ['iat where exp is later', { iat: NOW_S, exp: NOW_S + 500 }, NOW_S + 70],
  ])('says until when it could be accepted, by %s', (_, claims, lastS) => {
    const proof = mintProof({ claims });
    expect(verifyOnce(proof).expiresAtMs).toBe(lastS * 1000);
    expect(codeOf(() => verifyOnce(proof, { nowMs: lastS * 1000 }))).toBe('nothing');
    expect(codeOf(() => verifyOnce(proof, { nowMs: lastS * 1000 + 1 }))).toBe('dpop_proof_time');
  });
});

describe('createProofVerifier() refuses', () => {
  const foreign = testKey('ES256', 'foreign');
  const good = mintProof();
  const hmac = { alg: 'HS256', key: Buffer.alloc(32) } as const;

  test.each([
    ['nothing', '', 'dpop_proof_malformed'],
    ['two segments', good.split('.').slice(0, 2).join('.'), 'dpop_proof_malformed'],
    ['four segments', `${good}.x`, 'dpop_proof_malformed'],
    ['an empty signature', replaceSegment(good, 2, () => ''), 'dpop_proof_malformed'],
    ['padding', `${good}=`, 'dpop_proof_malformed'],
    ['a space in front', ` ${good}`, 'dpop_proof_malformed'],
    ['more than 8 KiB', mintProof({ claims: { x: 'x'.repeat(8000) } }), 'dpop_proof_malformed'],
    ['a payload that is a list', mintProof({ rawPayload: '[]' }), 'dpop_proof_malformed'],
    ['a claim twice', mintProof({ rawPayload: '{"htm":"GET","htm":"POST"}' }), 'dpop_proof_malformed'],
    [
      'a payload that is no UTF-8',
      mintProof({ rawPayload: Buffer.from([0x7b, 0xff, 0x7d]) }),
      'dpop_proof_malformed',
    ],
    ['typ JWT', mintProof({ header: { typ: 'JWT' } }), 'dpop_proof_type'],
    ['alg none', mintProof({ header: { alg: 'none' } }), 'dpop_proof_algorithm'],
    ['alg HS256', mintProof({ header: { alg: 'HS256' }, signature: hmac }), 'dpop_proof_algorithm'],
    ['an alg that is not in the list', mintProof({ header: { alg: 'PS384' } }), 'dpop_proof_algorithm'],
    [
      'a private key',
      mintProof({ header: { jwk: { ...bareJwk(testKey('ES256')), d: 'AA' } } }),
      'dpop_proof_key',
    ],
    ['no jwk', mintProof({ header: { jwk: undefined } }), 'dpop_proof_key'],
    ['another key', mintProof({ key: foreign }), 'dpop_key_mismatch'],
    [
      'another key that signs',
      mintProof({ signature: { alg: 'ES256', key: foreign.privateKey } }),
      'dpop_proof_signature',
    ],
    ['a changed claim', replaceSegment(good, 1, () => mintProof().split('.')[1]!), 'dpop_proof_signature'],
    ['another method', mintProof({ claims: { htm: 'POST' } }), 'dpop_proof_method'],
    ['the method in another case', mintProof({ claims: { htm: 'get' } }), 'dpop_proof_method'],
    ['another path', mintProof({ claims: { htu: 'https://api.example.com/other' } }), 'dpop_proof_target'],
    ['http for https', mintProof({ claims: { htu: 'http://api.example.com/orders' } }), 'dpop_proof_target'],
    ['a relative htu', mintProof({ claims: { htu: '/orders' } }), 'dpop_proof_target'],
    ['ath of another token', mintProof({ token: 'another' }), 'dpop_proof_token_hash'],
    [
      'ath in another alphabet',
      mintProof({ claims: { ath: `${athOf(BOUND_TOKEN)}=` } }),
      'dpop_proof_token_hash',
    ],
  ])('%s', (_, proof, code) => expect(codeOf(() => verifyOnce(proof))).toBe(code));

  test.each([
    ['jti', undefined],
    ['jti', ''],
    ['jti', 7],
    ['jti', 'x'.repeat(257)],
    ['htm', undefined],
    ['htm', ['GET']],
    ['htu', undefined],
    ['htu', 123],
    ['htu', null],
    ['htu', ['https://a/b']],
    ['iat', undefined],
    ['iat', String(NOW_S)],
    ['iat', null],
    ['ath', undefined],
    ['ath', 1],
    ['exp', 'soon'],
    ['exp', null],
    ['nbf', '0'],
    ['nonce', 1],
    ['nonce', null],
  ])('%s that is %j', (name, value) => {
    const claims = { [name]: value };
    expect(codeOf(() => verifyOnce(mintProof({ claims })))).toBe('dpop_proof_claims');
  });

  test('an invalid Host, before anything else', () => {
    const request = { method: 'GET', path: '/orders', host: 'api.example.com/orders?' };
    expect(codeOf(() => verifyOnce('rubbish', { request }))).toBe('invalid_host');
  });

  test('a token that is bound to no key', () => {
    const token = { hash: athOf(BOUND_TOKEN), confirmation: undefined };
    expect(codeOf(() => verifyOnce(good, { token }))).toBe('dpop_key_mismatch');
  });
});

describe('createProofVerifier() keeps keys', () => {
  test('once a signature was verified, and not before', () => {
    const kept: string[] = [];
    const keys = { find: () => undefined, keep: (headerText: string) => void kept.push(headerText) };
    const verify = createProofVerifier(proofRules({ keys }));
    const forged = mintProof({ signature: { alg: 'ES256', key: testKey('ES256', 'foreign').privateKey } });
    codeOf(() => verify(forged, proofUse()));
    expect(kept).toEqual([]);
    const good = mintProof();
    verify(good, proofUse());
    expect(kept).toEqual([good.split('.')[0]]);
  });

  test('and holds a known key to every other check', () => {
    const verify = createProofVerifier(proofRules());
    verify(mintProof(), proofUse());
    const jwk = { ...bareJwk(testKey('ES256')), d: 'AA' };
    expect(codeOf(() => verify(mintProof({ header: { jwk } }), proofUse()))).toBe('dpop_proof_key');
    expect(codeOf(() => verify(mintProof({ claims: { iat: 0 } }), proofUse()))).toBe('dpop_proof_time');
    const other = proofUse({
      token: { hash: athOf(BOUND_TOKEN), confirmation: { jkt: jwkThumbprint(testKey('EdDSA').jwk) } },
    });
    expect(codeOf(() => verify(mintProof(), other))).toBe('dpop_key_mismatch');
    const forged = mintProof({ signature: { alg: 'ES256', key: testKey('ES256', 'foreign').privateKey } });
    expect(codeOf(() => verify(forged, proofUse()))).toBe('dpop_proof_signature');
  });

  test('and a list of algorithms that has changed', () => {
    const keys = createProofKeys();
    createProofVerifier(proofRules({ keys }))(mintProof(), proofUse());
    const stricter = createProofVerifier(proofRules({ keys, algorithms: ['EdDSA'] }));
    expect(codeOf(() => stricter(mintProof(), proofUse()))).toBe('dpop_proof_algorithm');
  });
});

describe('createProofVerifier() with nonces', () => {
  const nonces = testNonces();
  const hash = athOf(BOUND_TOKEN);

  test('asks for one, takes it, and replaces it near its end', () => {
    const denial = denialOf(() => verifyOnce(mintProof(), {}, { nonces })) as Denial;
    expect(denial.code).toBe('dpop_nonce_required');
    const proof = mintProof({ claims: { nonce: denial.details.nonce } });
    expect(verifyOnce(proof, {}, { nonces }).freshNonce).toBeUndefined();
    const old = mintProof({ claims: { nonce: nonces.issue(hash, NOW_MS - 290_000) } });
    expect(verifyOnce(old, {}, { nonces }).freshNonce).toMatch(/^[\w-]{48}$/);
  });

  test.each([
    [
      'a wrong signature',
      { signature: { alg: 'ES256', key: testKey('ES256', 'foreign').privateKey } } as const,
    ],
    ['another target', { claims: { htu: 'https://evil.example/' } }],
    ['another key', { key: testKey('ES256', 'foreign') }],
    ['another token', { token: 'another' }],
  ])('gives none to a proof with %s', (_, options) => {
    const denial = denialOf(() => verifyOnce(mintProof(options), {}, { nonces })) as Denial;
    expect(denial.code).not.toBe('dpop_nonce_required');
    expect(denial.details.nonce).toBeUndefined();
  });
});

import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Denial } from '../../../src/authz/denial.js';
import { createProofVerifier, type ProofRules } from '../../../src/authz/dpop/proof.js';
import { createCertificateReader } from '../../../src/authz/mtls/certificate.js';
import { createSenderConstraintStage } from '../../../src/authz/stages/sender-constraint.js';
import type { CheckContext, Confirmation, Policy } from '../../../src/authz/types.js';
import { createCertificate } from '../../support/certificates.mjs';
import { fakeContext, fakeHeaders } from '../../support/fake-context.js';
import {
  athOf,
  BOUND_TOKEN,
  denialOf,
  jktOf,
  mintProof,
  proofRules,
  testNonces,
} from '../../support/proofs.js';
import { NOW_MS, NOW_S, testKey } from '../../support/tokens.js';

const certificate = createCertificate('client');
const jkt = jktOf(testKey('ES256'));
const x5tS256 = hash('sha256', certificate.der, 'base64url');
const byDpop: Confirmation = { jkt };
const byMtls: Confirmation = { x5tS256 };
const byBoth: Confirmation = { jkt, x5tS256 };
const unbound = undefined;

interface Case {
  readonly mode?: 'off' | 'optional' | 'required';
  readonly scheme?: 'bearer' | 'dpop';
  readonly cnf?: Confirmation | undefined;
  /** Fields of the DPoP header; one good proof by default. */
  readonly dpop?: readonly string[];
  /** `own`: the certificate that byMtls is bound to. */
  readonly cert?: 'own' | 'other' | 'broken' | 'none';
  readonly wanted?: Policy['senderConstraint'];
  readonly rules?: Partial<ProofRules>;
}

const certificates = {
  own: encodeURIComponent(certificate.certificate),
  other: encodeURIComponent(createCertificate('other').certificate),
  broken: '%%%',
  none: undefined,
};

function contextOf({ scheme = 'dpop', cnf, dpop, cert = 'none', wanted }: Case): CheckContext {
  const headers = fakeHeaders({ dpop: dpop ?? [mintProof()] });
  const ctx = fakeContext({ headers, peerCertificate: certificates[cert] }, { senderConstraint: wanted });
  ctx.credential = { scheme, token: BOUND_TOKEN, place: { kind: 'header', name: 'authorization' } };
  ctx.token = {
    issuer: 'https://login.example.com',
    hash: athOf(BOUND_TOKEN),
    claims: {},
    subject: 'user-1',
    clientId: undefined,
    scopes: new Set(),
    confirmation: cnf,
    expiresAtS: NOW_S + 300,
    notBeforeS: undefined,
    issuedAtS: undefined,
  };
  return ctx;
}

function judge(one: Case, ctx: CheckContext = contextOf(one)) {
  const outcomes: string[] = [];
  const stage = createSenderConstraintStage({
    mode: one.mode ?? 'optional',
    verifyProof: createProofVerifier(proofRules(one.rules)),
    readCertificate: createCertificateReader('envoy'),
    metrics: { dpopProof: (outcome) => void outcomes.push(outcome) },
  });
  const denial = denialOf(() => stage.run(ctx));
  return { code: denial instanceof Denial ? denial.code : 'nothing', outcomes, ctx };
}

const modes = ['optional', 'required'] as const;

describe('createSenderConstraintStage() passes', () => {
  test.each<[string, Case]>([
    ['a bound token with its proof', { cnf: byDpop }],
    ['an unbound Bearer token', { scheme: 'bearer', cnf: unbound, dpop: [] }],
    ['an unbound Bearer token beside a stray proof', { scheme: 'bearer', cnf: unbound, dpop: ['stray'] }],
    ['a certificate-bound Bearer token with its certificate', { scheme: 'bearer', cnf: byMtls, cert: 'own' }],
    ['a token bound to both, with both', { cnf: byBoth, cert: 'own' }],
    ['dpop required, and bound by it', { mode: 'required', cnf: byDpop }],
    ['a policy that wants dpop', { cnf: byDpop, wanted: 'dpop' }],
    ['a policy that wants mtls', { scheme: 'bearer', cnf: byMtls, cert: 'own', wanted: 'mtls' }],
    ['a policy that wants any, by dpop', { cnf: byDpop, wanted: 'any' }],
    ['a policy that wants any, by mtls', { scheme: 'bearer', cnf: byMtls, cert: 'own', wanted: 'any' }],
    ['dpop off, an unbound token', { mode: 'off', scheme: 'bearer', cnf: unbound, dpop: ['a', 'b'] }],
    ['dpop off, a certificate-bound token', { mode: 'off', scheme: 'bearer', cnf: byMtls, cert: 'own' }],
    ['a certificate nobody asked for', { cnf: byDpop, cert: 'other' }],
  ])('%s', (_, one) => expect(judge(one).code).toBe('nothing'));

  test.each(modes)('a request without a token, dpop %s', (mode) => {
    const ctx = fakeContext({ headers: fakeHeaders({ dpop: ['a', 'b'] }) }, { access: 'optional' });
    expect(judge({ mode }, ctx).code).toBe('nothing');
    expect(ctx.proof).toBeUndefined();
  });
});

describe('createSenderConstraintStage() refuses', () => {
  const [one, other] = [mintProof(), mintProof()];

  test.each<[string, Case, string]>([
    ['the DPoP scheme without a proof', { cnf: byDpop, dpop: [] }, 'dpop_proof_missing'],
    ['the same, unbound', { cnf: unbound, dpop: [] }, 'dpop_proof_missing'],
    ['two proofs', { cnf: byDpop, dpop: [one, other] }, 'multiple_proofs'],
    ['two proofs as Envoy joins them', { cnf: byDpop, dpop: [`${one},${other}`] }, 'multiple_proofs'],
    ['the same proof twice', { cnf: byDpop, dpop: [one, one] }, 'multiple_proofs'],
    [
      'two proofs beside a Bearer token',
      { scheme: 'bearer', cnf: unbound, dpop: [one, other] },
      'multiple_proofs',
    ],
    ['an empty proof', { cnf: byDpop, dpop: [''] }, 'dpop_proof_malformed'],
    ['a bad proof', { cnf: byDpop, dpop: [mintProof({ claims: { htm: 'POST' } })] }, 'dpop_proof_method'],
    ['a bound token as Bearer, with its proof', { scheme: 'bearer', cnf: byDpop }, 'bound_token_as_bearer'],
    [
      'a bound token as Bearer, without',
      { scheme: 'bearer', cnf: byDpop, dpop: [] },
      'bound_token_as_bearer',
    ],
    [
      'a doubly bound token as Bearer',
      { scheme: 'bearer', cnf: byBoth, cert: 'own' },
      'bound_token_as_bearer',
    ],
    ['an unbound token under DPoP', { cnf: unbound }, 'unbound_token_as_dpop'],
    ['a certificate-bound token under DPoP', { cnf: byMtls, cert: 'own' }, 'unbound_token_as_dpop'],
    ['no certificate', { scheme: 'bearer', cnf: byMtls }, 'certificate_missing'],
    ['another certificate', { scheme: 'bearer', cnf: byMtls, cert: 'other' }, 'certificate_mismatch'],
    [
      'a certificate that cannot be parsed',
      { scheme: 'bearer', cnf: byMtls, cert: 'broken' },
      'certificate_mismatch',
    ],
    ['bound to both, without the certificate', { cnf: byBoth }, 'certificate_missing'],
    ['bound to both, with another certificate', { cnf: byBoth, cert: 'other' }, 'certificate_mismatch'],
    ['bound to both, with a bad proof', { cnf: byBoth, cert: 'own', dpop: ['x'] }, 'dpop_proof_malformed'],
    ['a binding of no known kind', { scheme: 'bearer', cnf: {} }, 'unsupported_confirmation'],
    ['dpop off, a bound token', { mode: 'off', scheme: 'bearer', cnf: byDpop }, 'unsupported_confirmation'],
    ['dpop off, a bound token with its proof', { mode: 'off', cnf: byDpop }, 'unsupported_confirmation'],
    [
      'dpop off, doubly bound',
      { mode: 'off', scheme: 'bearer', cnf: byBoth, cert: 'own' },
      'unsupported_confirmation',
    ],
    ['dpop off, the DPoP scheme', { mode: 'off', cnf: unbound }, 'unbound_token_as_dpop'],
    ['dpop off, no certificate', { mode: 'off', scheme: 'bearer', cnf: byMtls }, 'certificate_missing'],
    [
      'dpop required, unbound',
      { mode: 'required', scheme: 'bearer', cnf: unbound },
      'sender_constraint_required',
    ],
    [
      'dpop required, unbound, no proof',
      { mode: 'required', scheme: 'bearer', cnf: unbound, dpop: [] },
      'sender_constraint_required',
    ],
    [
      'dpop required, bound by mtls',
      { mode: 'required', scheme: 'bearer', cnf: byMtls, cert: 'own' },
      'sender_constraint_required',
    ],
    [
      'policy dpop, unbound',
      { scheme: 'bearer', cnf: unbound, wanted: 'dpop' },
      'sender_constraint_required',
    ],
    [
      'policy dpop, by mtls',
      { scheme: 'bearer', cnf: byMtls, cert: 'own', wanted: 'dpop' },
      'sender_constraint_required',
    ],
    [
      'policy dpop, dpop off',
      { mode: 'off', scheme: 'bearer', cnf: unbound, wanted: 'dpop' },
      'sender_constraint_required',
    ],
    [
      'policy mtls, unbound',
      { scheme: 'bearer', cnf: unbound, wanted: 'mtls', cert: 'own' },
      'sender_constraint_required',
    ],
    ['policy mtls, by dpop', { cnf: byDpop, wanted: 'mtls', cert: 'own' }, 'sender_constraint_required'],
    [
      'policy any, unbound',
      { scheme: 'bearer', cnf: unbound, wanted: 'any', cert: 'own' },
      'sender_constraint_required',
    ],
  ])('%s', (_, one, code) => {
    const { code: actual, ctx } = judge(one);
    expect(actual).toBe(code);
    expect(ctx.proof).toBeUndefined();
  });

  test('without ever passing a bound token whose sender was not proved', () => {
    for (const mode of ['off', 'optional', 'required'] as const)
      for (const scheme of ['bearer', 'dpop'] as const)
        for (const cnf of [byDpop, byMtls, byBoth])
          for (const dpop of [[], ['x'], [mintProof()]])
            for (const cert of ['none', 'broken', 'other', 'own'] as const)
              for (const wanted of [undefined, 'dpop', 'mtls', 'any'] as const) {
                const { code, ctx } = judge({ mode, scheme, cnf, dpop, cert, wanted });
                if (code !== 'nothing') continue;
                if (cnf.jkt !== undefined) expect(ctx.proof?.jkt).toBe(cnf.jkt);
                if (cnf.x5tS256 !== undefined) expect(cert).toBe('own');
              }
  });
});

describe('createSenderConstraintStage() reports', () => {
  test('later stages of the proof', () => {
    expect(judge({ cnf: byDpop }).ctx.proof).toMatchObject({ jkt, expiresAtMs: (NOW_S + 70) * 1000 });
  });

  test('the client of a nonce that replaces one near its end, once', () => {
    const nonces = testNonces();
    const nonce = nonces.issue(athOf(BOUND_TOKEN), NOW_MS - 290_000);
    const { ctx } = judge({ cnf: byDpop, dpop: [mintProof({ claims: { nonce } })], rules: { nonces } });
    expect(ctx.responseHeaders).toEqual([['dpop-nonce', expect.stringMatching(/^[\w-]{48}$/)]]);
  });

  test('the metrics why a proof was refused, and leaves the good ones to be counted when they are spent', () => {
    expect(judge({ cnf: byDpop }).outcomes).toEqual([]);
    expect(judge({ cnf: byDpop, dpop: ['x'] }).outcomes).toEqual(['dpop_proof_malformed']);
    expect(judge({ cnf: byDpop, rules: { nonces: testNonces() } }).outcomes).toEqual(['dpop_nonce_required']);
    expect(judge({ scheme: 'bearer', cnf: byDpop }).outcomes).toEqual([]);
  });
});

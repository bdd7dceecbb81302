/** Proofs by a client library that other people use, against the stages that judge them; no network between. */
import { describe, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import { challengesOf } from '../../../src/authz/challenge.js';
import { Denial } from '../../../src/authz/denial.js';
import { createProofVerifier } from '../../../src/authz/dpop/proof.js';
import type { VerifiedToken } from '../../../src/authz/types.js';
import { athOf, BOUND_TOKEN, proofRules, testNonces } from '../../support/proofs.js';

const ALGORITHMS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const;
const URL_ASKED_FOR = 'https://api.example.com/orders/%7Eme?page=2';

/** A resource server for one bound token: as `fetch` sees it. */
function resourceServer(jkt: string) {
  const verify = createProofVerifier(proofRules({ nonces: testNonces() }));
  const token: Pick<VerifiedToken, 'hash' | 'confirmation'> = {
    hash: athOf(BOUND_TOKEN),
    confirmation: { jkt },
  };
  const seen: string[] = [];
  const fetch = (
    url: string,
    init: { method: string; headers: Record<string, string> },
  ): Promise<Response> => {
    const { host, pathname: path } = new URL(url);
    try {
      verify(init.headers.dpop ?? '', {
        request: { method: init.method, host, path },
        token,
        nowMs: Date.now(),
      });
      seen.push('allowed');
      return Promise.resolve(new Response('ok'));
    } catch (error) {
      if (!(error instanceof Denial)) throw error;
      seen.push(error.code);
      const headers = new Headers([
        ...challengesOf(error, {
          scheme: 'dpop',
          dpop: { algorithms: ALGORITHMS },
          resourceMetadata: undefined,
        }),
      ] as [string, string][]);
      if (error.details.nonce !== undefined) headers.set('dpop-nonce', error.details.nonce);
      return Promise.resolve(new Response('', { status: error.entry.http, headers }));
    }
  };
  return { seen, fetch };
}

/** As docs/guides/dpop.md has it. */
async function callApi(dpop: oauth.DPoPHandle, fetch: ReturnType<typeof resourceServer>['fetch']) {
  const options = { [oauth.customFetch]: fetch as never, DPoP: dpop };
  const send = () =>
    oauth.protectedResourceRequest(BOUND_TOKEN, 'GET', new URL(URL_ASKED_FOR), undefined, null, options);
  try {
    return await send();
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return await send();
    throw error;
  }
}

describe('oauth4webapi', () => {
  test.each(['ES256', 'Ed25519', 'PS256', 'RS256'])(
    'by %s: asked for a nonce, then accepted',
    async (alg) => {
      const dpop = oauth.DPoP({}, await oauth.generateKeyPair(alg));
      const server = resourceServer(await dpop.calculateThumbprint());
      expect((await callApi(dpop, server.fetch)).status).toBe(200);
      expect((await callApi(dpop, server.fetch)).status).toBe(200);
      expect(server.seen).toEqual(['dpop_nonce_required', 'allowed', 'allowed']);
    },
  );

  test('with another key is refused, and reads why', async () => {
    const dpop = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const other = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const server = resourceServer(await other.calculateThumbprint());
    await expect(callApi(dpop, server.fetch)).rejects.toMatchObject({
      status: 401,
      cause: [{ scheme: 'dpop', parameters: { error: 'invalid_dpop_proof' } }],
    });
  });
});

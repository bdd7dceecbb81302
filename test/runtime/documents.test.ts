import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.js';
import { createPublicDocuments } from '../../src/runtime/documents.js';
import { AUDIENCE, ISSUER, testKey } from '../support/tokens.js';

function documentsOf(over: object) {
  const issuers = [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }];
  const { config } = parseConfig(JSON.stringify({ issuers, ...over }), { env: {} });
  return createPublicDocuments(() => config);
}

describe('createPublicDocuments()', () => {
  test('the resource metadata names issuers, scopes and what DPoP takes', () => {
    const policies = { write: { scopes: { all: ['orders:write'], any: ['a', 'b'] } } };
    const documents = documentsOf({ policies, dpop: { mode: 'required', algorithms: ['ES256'] } });
    expect(documents.protectedResource()).toEqual({
      resource: AUDIENCE,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      scopes_supported: ['a', 'b', 'orders:write'],
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
    });
  });

  test('there is no key set where nothing is signed', () => {
    expect(documentsOf({}).jwks()).toBeUndefined();
  });
});

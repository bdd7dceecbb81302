import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.js';
import { createPublicDocuments } from '../../src/runtime/documents.js';
import { resourceMetadataUrl } from '../../src/protected-resource.js';
import { AUDIENCE, ISSUER, testKey } from '../support/tokens.js';

const issuersFor = (audience: string): object[] => [
  { issuer: ISSUER, audiences: [audience], jwks: { keys: [testKey('ES256').jwk] } },
];

function documentsOf(over: object) {
  const issuers = issuersFor(AUDIENCE);
  const { config } = parseConfig(JSON.stringify({ issuers, ...over }), { env: {} });
  return createPublicDocuments(() => config);
}

describe('createPublicDocuments()', () => {
  test('the resource metadata names issuers, scopes and what DPoP takes', () => {
    const policies = { write: { scopes: { all: ['orders:write'], any: ['a', 'b'] } } };
    const documents = documentsOf({ policies, dpop: { mode: 'required', algorithms: ['ES256'] } });
    expect(documents.protectedResource('')).toEqual({
      resource: AUDIENCE,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      scopes_supported: ['a', 'b', 'orders:write'],
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
    });
  });

  test.each([
    ['the bare document', '', true],
    ['with the path of the resource', '/v1/', true],
    ['with the path of another one', '/v2/', false],
    ['with a part of it', '/v1', false],
  ])('the resource metadata is served: %s', (_name, suffix, isServed) => {
    const documents = documentsOf({ issuers: issuersFor('https://api.example.com/v1/') });
    expect(documents.protectedResource(suffix) !== undefined).toBe(suffix === '' || isServed);
  });

  test('there is no key set where nothing is signed', () => {
    expect(documentsOf({}).jwks()).toBeUndefined();
  });
});

describe('resourceMetadataUrl()', () => {
  const urlOf = (over: object): string | undefined => {
    const { config } = parseConfig(
      JSON.stringify({ issuers: issuersFor('https://api.example.com'), ...over }),
      {
        env: {},
      },
    );
    return resourceMetadataUrl(config);
  };
  const server = { public: '127.0.0.1:0' };

  test.each([
    ['an audience', { server }, 'https://api.example.com/.well-known/oauth-protected-resource'],
    [
      'an audience with a path',
      { server, issuers: issuersFor('https://api.example.com/v1/mcp?a=1') },
      'https://api.example.com/.well-known/oauth-protected-resource/v1/mcp?a=1',
    ],
    [
      'the first origin of DPoP',
      { server, dpop: { origins: ['https://gate.example.com'] } },
      'https://gate.example.com/.well-known/oauth-protected-resource',
    ],
    ['no public port', {}, undefined],
    ['no resource that is a URL', { server, issuers: issuersFor('orders') }, undefined],
  ])('is made of %s (RFC 9728 section 3.1)', (_name, over, url) => {
    expect(urlOf(over)).toBe(url);
  });
});

import { describe, expect, test } from '@jest/globals';
import { createRevokeAtIssuer } from '../../src/revocation/revoke-at-issuer.js';
import { ISSUER, mintToken } from '../support/tokens.js';

const OTHER = 'https://other.example';

function setUp(...issuers: readonly [issuer: string, tokenPrefix?: string][]) {
  const sent: unknown[] = [];
  let open = 0;
  const revoke = createRevokeAtIssuer({
    issuers: () =>
      issuers.map(([issuer, tokenPrefix]) => ({
        issuer,
        tokenPrefix,
        open: () => {
          open += 1;
          return {
            client: {
              post: (endpoint, form) => {
                sent.push([issuer, endpoint, form]);
                return form.token === 'failing' ? Promise.reject(new Error('500')) : Promise.resolve('');
              },
            },
            close: () => Promise.resolve(void (open -= 1)),
          };
        },
      })),
    own: () => ({ issuer: 'https://gate.example', prefix: 'pat_' }),
  });
  return { revoke, sent, open: () => open };
}

describe('createRevokeAtIssuer()', () => {
  test('asks the issuer that a JWT names', async () => {
    const { revoke, sent, open } = setUp([OTHER], [ISSUER]);
    const token = mintToken();
    await revoke(token, 'access_token');
    expect(sent).toEqual([[ISSUER, 'revocation_endpoint', { token, token_type_hint: 'access_token' }]]);
    expect(open()).toBe(0);
  });

  test('asks the only issuer, or the one of the longest prefix, for an opaque token', async () => {
    const one = setUp([ISSUER]);
    await one.revoke('opaque', undefined);
    expect(one.sent).toEqual([[ISSUER, 'revocation_endpoint', { token: 'opaque' }]]);
    const two = setUp([ISSUER, 'r'], [OTHER, 'ref_']);
    await two.revoke('ref_1', undefined);
    expect(two.sent).toEqual([[OTHER, 'revocation_endpoint', { token: 'ref_1' }]]);
  });

  test.each<[string, string]>([
    ['a JWT of an issuer where we are no client', mintToken({ claims: { iss: 'https://third.example' } })],
    ['a token of one of several issuers', 'opaque'],
  ])('sends %s to nobody', async (_, token) => {
    const { revoke, sent } = setUp([ISSUER], [OTHER]);
    await expect(revoke(token, undefined)).rejects.toThrow(/no client/);
    expect(sent).toEqual([]);
  });

  test('sends our own tokens to nobody', async () => {
    const { revoke, sent } = setUp([ISSUER]);
    await revoke('pat_x.y', undefined);
    await revoke(mintToken({ claims: { iss: 'https://gate.example' } }), undefined);
    expect(sent).toEqual([]);
  });

  test('closes the client of an issuer that fails', async () => {
    const { revoke, open } = setUp([ISSUER]);
    await expect(revoke('failing', undefined)).rejects.toThrow('500');
    expect(open()).toBe(0);
  });
});

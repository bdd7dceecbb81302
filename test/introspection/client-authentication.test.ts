import { describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createClientAuthentication } from '../../src/introspection/client-authentication.js';
import type { ClientCredential } from '../../src/introspection/types.js';
import { ISSUER, NOW_MS, NOW_S, testKey } from '../support/tokens.js';

let id = 0;
const authenticate = (credential: ClientCredential, clientId = 'gate') =>
  createClientAuthentication({
    clientId,
    credential,
    issuer: ISSUER,
    clock: { now: () => NOW_MS },
    randomId: () => `id-${id++}`,
  })();

describe('createClientAuthentication()', () => {
  test.each([
    ['gate', 'secret', 'gate:secret'],
    ['a:b c', 'p+%ü:&', 'a%3Ab+c:p%2B%25%C3%BC%3A%26'],
  ])(
    'client_secret_basic encodes %s and %s as a form does (RFC 6749 2.3.1)',
    async (clientId, secret, pair) => {
      const { headers, form } = await authenticate({ method: 'client_secret_basic', secret }, clientId);
      expect(headers).toEqual({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
      expect(form).toEqual({});
    },
  );

  test('client_secret_post sends both in the form', async () => {
    expect(await authenticate({ method: 'client_secret_post', secret: 's' })).toEqual({
      headers: {},
      form: { client_id: 'gate', client_secret: 's' },
    });
  });

  test('tls_client_auth sends the id alone', async () => {
    expect(await authenticate({ method: 'tls_client_auth', cert: 'c', key: 'k' })).toEqual({
      headers: {},
      form: { client_id: 'gate' },
    });
  });

  test.each(['ES256', 'EdDSA', 'RS256', 'PS256'] as const)(
    'private_key_jwt signs an assertion with %s, each with an id of its own',
    async (alg) => {
      const { privateKey, jwk, kid } = testKey(alg);
      const credential: ClientCredential = {
        method: 'private_key_jwt',
        key: { ...privateKey.export({ format: 'jwk' }), kid, alg },
      };
      const [first, second] = [await authenticate(credential), await authenticate(credential)];
      expect(first.form).toMatchObject({
        client_id: 'gate',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      const { payload, protectedHeader } = await jwtVerify(
        first.form.client_assertion ?? '',
        createLocalJWKSet({ keys: [jwk as never] }),
        { audience: ISSUER, issuer: 'gate', subject: 'gate', currentDate: new Date(NOW_MS) },
      );
      expect(payload.exp! - NOW_S).toBeLessThanOrEqual(60);
      expect(protectedHeader).toMatchObject({ alg, kid });
      expect(second.form.client_assertion).not.toBe(first.form.client_assertion);
    },
  );
});

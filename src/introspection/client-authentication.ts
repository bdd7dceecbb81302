import { importJWK, SignJWT, type JWK } from 'jose';
import type { Clock } from '../ports.js';
import type { ClientCredential } from './types.js';

/** What is added to a request so that the issuer knows its client. All of it is secret. */
export interface Authentication {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** What authentication is made of. */
export interface ClientAuthenticationOptions {
  readonly clientId: string;
  readonly credential: ClientCredential;
  /** `aud` of an assertion: the issuer identifier. */
  readonly issuer: string;
  readonly clock: Clock;
  /** `jti` of an assertion. */
  readonly randomId: () => string;
}

/** Life of an assertion: one request, and some difference between clocks. */
const ASSERTION_TTL_S = 60;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Creates the function that authenticates each request. With `tls_client_auth` the certificate is the connection's, and
 * only the client's id is sent.
 *
 * @see RFC 6749 section 2.3.1, RFC 7523 section 2.2, RFC 8705 section 2.1.2
 */
export function createClientAuthentication(
  options: ClientAuthenticationOptions,
): () => Authentication | Promise<Authentication> {
  const { clientId, credential } = options;
  switch (credential.method) {
    case 'client_secret_basic': {
      const pair = `${formEncoded(clientId)}:${formEncoded(credential.secret)}`;
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      return () => ({ headers: { authorization }, form: {} });
    }
    case 'client_secret_post':
      return () => ({ headers: {}, form: { client_id: clientId, client_secret: credential.secret } });
    case 'tls_client_auth':
      return () => ({ headers: {}, form: { client_id: clientId } });
    case 'private_key_jwt':
      return async () => ({
        headers: {},
        form: {
          client_id: clientId,
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await createAssertion(credential.key, options),
        },
      });
  }
}

/** As RFC 6749 2.3.1 wants id and secret before they are joined by a colon. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

async function createAssertion(
  jwk: JWK,
  { clientId, issuer, clock, randomId }: ClientAuthenticationOptions,
): Promise<string> {
  const { kid, alg } = jwk;
  if (kid === undefined || alg === undefined) throw new TypeError('the key of the client lacks kid or alg');
  const nowS = Math.floor(clock.now() / 1000);
  return new SignJWT({
    iss: clientId,
    sub: clientId,
    aud: issuer,
    jti: randomId(),
    iat: nowS,
    exp: nowS + ASSERTION_TTL_S,
  })
    .setProtectedHeader({ alg, kid, typ: 'JWT' })
    .sign(await importJWK(jwk, alg));
}

import { z } from 'zod';
import { choice, count, documented, duration, flag, section, text, webUrl } from '../fields.js';

/** `issuers[].introspection`: how an issuer is asked about tokens. */
export const introspectionSection = section({
  endpoint: documented(
    webUrl().optional(),
    'The endpoint. Default: from discovery.',
    'https://login.example.com/introspect',
  ),
  clientId: documented(text('a client id'), 'Client id at the issuer.', 'gate'),
  clientSecret: documented(
    text('a secret').optional(),
    'Client secret, for `client_secret_basic` and `client_secret_post`.',
    '${env:INTROSPECTION_SECRET}',
  ),
  auth: documented(
    choice(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth']).prefault(
      'client_secret_basic',
    ),
    'How the client authenticates (RFC 6749 2.3.1, RFC 7523 2.2, RFC 8705 2.1).',
  ),
  key: documented(
    z
      .union([text('a path'), z.record(z.string(), z.unknown())], {
        error: 'must be a private JWK or the path of one',
      })
      .optional(),
    'For `private_key_jwt`: one private JWK with `kid` and `alg`, inline, as JSON text, or the path of a file.',
    './gate-key.json',
  ),
  tls: documented(
    section({
      cert: documented(text('PEM or a path'), 'Certificate, as PEM or the path of a PEM file.', './gate.crt'),
      key: documented(text('PEM or a path'), 'Its private key, as PEM or a path.', './gate.key'),
    }).optional(),
    'For `tls_client_auth`: the certificate that the client shows.',
    { cert: './gate.crt', key: './gate.key' },
  ),
  always: documented(
    flag().prefault(false),
    'Ask about JWTs of this issuer as well, once they have passed every local check.',
  ),
  tokenPrefix: documented(
    text('up to 64 characters of a token', (value) => /^[A-Za-z0-9._~+/-]{1,64}$/.test(value)).optional(),
    'Opaque tokens that begin so belong to this issuer. Needed where several issuers introspect: a token is shown to one of them only.',
    'ref_',
  ),
  audience: documented(
    choice(['required', 'optional']).prefault('required'),
    'Must the answer have `aud`? One that is there is always judged.',
  ),
  signed: documented(
    flag().prefault(false),
    'Ask for signed answers (RFC 9701), verify them with the keys of the issuer, and refuse plain JSON.',
  ),
  cacheTtl: documented(
    duration('0s', '24h').prefault('30s'),
    'How long an active answer is used again, never past `exp`. A token that is revoked at the issuer is accepted for this long. `0s`: every request asks again.',
    '30s',
  ),
  negativeTtl: documented(
    duration('0s', '1h').prefault('5s'),
    'How long the answer that a token is not active is used again.',
    '5s',
  ),
  timeout: documented(duration('1ms', '1m').prefault('2s'), 'Time-out of one call, all of it.', '2s'),
  concurrency: documented(
    count(1, 10_000).prefault(50),
    'Calls at once. Ten times as many may wait for a turn; beyond that the answer is 503.',
  ),
});

import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS } from '../../jwk/types.js';
import {
  appliesAt,
  choice,
  count,
  documented,
  duration,
  headerName,
  HTTP_TOKEN,
  list,
  origin,
  section,
  size,
  text,
} from '../fields.js';

const place = section({
  header: documented(
    headerName().optional(),
    'A header field. `authorization` takes the schemes Bearer and DPoP; any other the bare token.',
    'x-access-token',
  ),
  prefix: documented(
    text('up to 64 visible ASCII characters and blanks', (value) =>
      /^[\x20-\x7e]{1,64}$/.test(value),
    ).optional(),
    'What stands before the token in that header.',
    'Token ',
  ),
  cookie: documented(
    text('the name of a cookie', (value) => HTTP_TOKEN.test(value)).optional(),
    'A cookie.',
    'access_token',
  ),
  query: documented(
    text('the name of a parameter: letters, digits, and - . _ ~', (value) =>
      /^[A-Za-z0-9._~-]{1,128}$/.test(value),
    ).optional(),
    'A parameter of the query. It is removed before the request goes on.',
    'access_token',
  ),
});

/** `credentials`: where tokens are looked for. */
export const credentialsSection = list(place, 'a list with at least one place').prefault([
  { header: 'authorization' },
]);

/** `multipleCredentials`. */
export const multipleCredentialsField = choice(['reject', 'first']).prefault('reject');

/** `maxTokenBytes`. */
export const maxTokenBytesField = size('1B', '1MiB').prefault(8192);

/** `tokenCache`: verified tokens. */
export const tokenCacheSection = section({
  maxEntries: documented(
    count(0, 100_000_000).prefault(100_000),
    'Tokens that are kept at most. 0: the cache is off.',
  ),
  maxBytes: documented(size('0B', '64GiB').prefault('64MiB'), 'What they may weigh, about.'),
}).prefault({});

const nonce = section({
  mode: documented(
    choice(['off', 'required']).prefault('off'),
    '`required`: a proof needs a nonce of this service.',
  ),
  secrets: documented(
    z
      .array(
        text('a secret of at least 16 bytes', (value) => Buffer.byteLength(value) >= 16),
        { error: 'must be a list of secrets' },
      )
      .prefault([]),
    'Secrets of at least 16 bytes, the same on every replica. The first seals nonces, all open them; so a new one goes first, and the old one leaves after `lifetime`.',
    ['${env:NONCE_SECRET}'],
  ),
  lifetime: documented(duration('1s', '24h').prefault('5m'), 'How long a nonce is accepted.', '5m'),
});

/** `dpop`: RFC 9449. */
export const dpopSection = section({
  mode: documented(
    choice(['off', 'optional', 'required']).prefault('optional'),
    '`off`: a bound token is refused. `optional`: a bound token needs its proof. `required`: a token that is not bound is refused.',
  ),
  algorithms: documented(
    list(choice(ASYMMETRIC_ALGORITHMS), 'a list with at least one asymmetric algorithm').prefault([
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'PS256',
      'RS256',
    ]),
    'Algorithms of proofs.',
    ['ES256', 'EdDSA'],
  ),
  maxAge: documented(duration('1s', '1h').prefault('60s'), 'How old `iat` of a proof may be.', '60s'),
  clockTolerance: documented(
    duration('0s', '10m').prefault('10s'),
    'How far the clock of a client may be off.',
    '10s',
  ),
  origins: documented(
    list(origin(), 'a list with at least one origin').optional(),
    "How clients see this service. A request whose host is one of these is compared with that scheme and port; others are refused. Default: https and Envoy's host, http for loopback hosts.",
    ['https://api.example.com'],
  ),
  nonce: documented(nonce.prefault({}), 'Nonces in proofs (RFC 9449 8).', {
    mode: 'required',
    secrets: ['${env:NONCE_SECRET}'],
  }),
}).prefault({});

/** `replay`: which proofs were spent. */
export const replaySection = section({
  store: appliesAt(
    'restart',
    documented(
      choice(['memory', 'redis']).prefault('memory'),
      '`memory`: this process, and the workers beside it. `redis`: all replicas that share one; needs the `redis` section.',
    ),
  ),
  maxEntries: appliesAt(
    'restart',
    documented(
      count(1, 100_000_000).prefault(1_000_000),
      'Proofs that `memory` remembers. When it is full, further proofs are refused; no live one is forgotten. One key may hold a sixteenth of it, or 1,000 proofs where half of it is at least that many.',
    ),
  ),
  onUnavailable: documented(
    choice(['deny', 'allow']).prefault('deny'),
    'What happens to a proof while the store is out of reach. A store that is full always refuses: clients can fill it.',
  ),
  beforeStart: documented(
    choice(['refuse', 'accept']).prefault('refuse'),
    'What happens to a proof with an `iat` (whole seconds) before the `memory` store began: it may have been spent before the restart.',
  ),
}).prefault({});

/** `mtls`: RFC 8705. */
export const mtlsSection = section({
  certificate: documented(
    choice(['envoy', 'xfcc']).prefault('envoy'),
    '`envoy`: the certificate Envoy saw (`include_peer_certificate`). `xfcc`: the last element of X-Forwarded-Client-Cert; only behind a proxy that overwrites it.',
  ),
}).prefault({});

const REDIS_URL = /^(?:rediss?|valkeys?)(?:[+-]cluster)?:\/\/[^\s/]/i;

/** `redis`. */
export const redisSection = section({
  url: appliesAt(
    'restart',
    documented(
      text('a URL such as redis://host:6379 or rediss://user:password@host:6380/0', (value) =>
        REDIS_URL.test(value),
      ),
      'Redis or Valkey: redis://, rediss:// (TLS). Keep the password out of the file.',
      '${env:REDIS_URL}',
    ),
  ),
}).optional();

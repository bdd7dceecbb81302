import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS, SYMMETRIC_ALGORITHMS } from '../../jwk/types.js';
import {
  appliesAt,
  choice,
  count,
  documented,
  duration,
  flag,
  list,
  mustBe,
  section,
  size,
  text,
  webUrl,
} from '../fields.js';
import { introspectionSection } from './introspection.js';

/** A `kid` or a claim's name: short, and no control characters. */
export const shortText = (what: string) =>
  // eslint-disable-next-line no-control-regex -- they are what is refused
  text(`${what} of up to 256 characters`, (value) => /^[^\u0000-\u001f\u007f]{1,256}$/.test(value));

const staticKey = section({
  kid: documented(
    shortText('a key id').optional(),
    'Key id. A token that names another one is not tried with this key.',
    'k1',
  ),
  alg: documented(
    choice([...ASYMMETRIC_ALGORITHMS, ...SYMMETRIC_ALGORITHMS]).optional(),
    'The one algorithm of this key. Required with `secret`; otherwise every algorithm that fits the key.',
    'RS256',
  ),
  pem: documented(text('PEM text').optional(), 'The public key, as PEM.', '${file:./issuer.pem}'),
  file: documented(text('a path').optional(), 'The public key, as the path of a PEM file.', './issuer.pem'),
  secret: documented(
    text('a secret').optional(),
    'An HMAC secret, taken as UTF-8, at least as long as the hash (RFC 7518 3.2).',
    '${env:HMAC_SECRET}',
  ),
});

/** A JWK set: inline, JSON text or a path. */
export const keySet = z.union(
  [
    text('a path'),
    z.looseObject({
      keys: documented(
        z.array(z.record(z.string(), z.unknown()), { error: 'must be a list of JWKs' }),
        'The JWKs. Those that are weak, private or meant for something else are not used; at least one must be usable.',
        [{ kty: 'OKP', crv: 'Ed25519', kid: 'k1', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
      ),
    }),
  ],
  { error: 'must be a JWK set (RFC 7517) or the path of one' },
);

const clientKeys = section({
  claim: documented(
    shortText('a claim name'),
    'The claim that names the client: up to 128 characters of `A-Z a-z 0-9 @ . _ -`, not beginning with a dot.',
    'client_id',
  ),
  dir: documented(
    text('a path'),
    'Folder with `VALUE.pem`, one or more public keys or certificates, and perhaps `VALUE.yaml`, session parameters, for each client.',
    './clients',
  ),
});

const logout = section({
  clientId: documented(text('a client id'), 'Expected `aud` of logout tokens.', 'gate'),
});

const events = section({
  audience: documented(
    text('an audience'),
    'Expected `aud` of security event tokens.',
    'https://gate.example.com',
  ),
});

const issuer = section({
  issuer: documented(
    webUrl(),
    'Issuer identifier. Compared byte for byte with `iss`; given once. Plain http only on loopback hosts or with `jwks.allowHttp`.',
    'https://login.example.com',
  ),
  audiences: documented(
    list(text('an audience'), 'a list with at least one audience'),
    'At least one of these must be in `aud`, byte for byte.',
    ['https://api.example.com'],
  ),
  discovery: documented(
    z.union([flag(), webUrl()], { error: 'must be true or an https URL' }).optional(),
    'Keys through OpenID discovery, then RFC 8414; or the URL of the metadata document. The default where no other source of keys is given.',
    true,
  ),
  jwksUri: documented(webUrl().optional(), 'Keys from this JWK set.', 'https://login.example.com/jwks'),
  jwks: documented(
    keySet.optional(),
    'Keys from this JWK set: inline, as JSON text, or the path of a file. Nothing is fetched.',
    './jwks.json',
  ),
  keys: documented(list(staticKey).optional(), 'PEM public keys and HMAC secrets. Nothing is fetched.', [
    { kid: 'k1', alg: 'RS256', file: './issuer.pem' },
  ]),
  clientKeys: documented(
    clientKeys.optional(),
    'Keys by client: each client signs its own tokens, and its keys are in a file of its own. Changes count within 2 s.',
    { claim: 'client_id', dir: './clients' },
  ),
  algorithms: documented(
    list(
      choice([...ASYMMETRIC_ALGORITHMS, ...SYMMETRIC_ALGORITHMS]),
      'a list with at least one algorithm',
    ).optional(),
    'Signature algorithms that are accepted. Default: every asymmetric one; for an issuer whose `keys` hold secrets, the algorithms of those as well. HS256, HS384 and HS512 only with a secret for them.',
    ['RS256', 'ES256'],
  ),
  profile: documented(
    choice(['compatible', 'rfc9068']).prefault('compatible'),
    '`compatible`: typ at+jwt, application/at+jwt, JWT or none. `rfc9068`: typ at+jwt only, and iss, exp, aud, sub, client_id, iat, jti are required.',
  ),
  clockTolerance: documented(
    duration('0s', '1h').prefault('30s'),
    'How far the clocks of the issuer and of this machine may differ.',
    '30s',
  ),
  maxLifetime: documented(
    duration('1s', '87600h').prefault('24h'),
    'Longest life of a token: neither exp - iat nor exp - now may exceed it.',
    '24h',
  ),
  introspection: documented(
    introspectionSection.optional(),
    'RFC 7662: the issuer is asked about tokens that are not JWTs. Absent: such tokens are refused.',
    { clientId: 'gate', clientSecret: '${env:INTROSPECTION_SECRET}' },
  ),
  logout: documented(
    logout.optional(),
    'Back-channel logout tokens of this issuer are accepted at `POST /logout/backchannel` of the public port. Turns `revocation` on.',
    { clientId: 'gate' },
  ),
  events: documented(
    events.optional(),
    'Security event tokens of this issuer (RFC 8417) are accepted at `POST /events` of the public port. Turns `revocation` on.',
    { audience: 'https://gate.example.com' },
  ),
});

const ISSUERS = 'a list with at least one issuer';

/** `issuers`: whose tokens are trusted, and with which keys. Whether it may be empty hangs on `tokens`. */
export const issuersSection = z.array(issuer, { error: mustBe(ISSUERS) }).prefault([]);

/** `jwks`: how fetched key sets are kept. */
export const jwksSection = section({
  maxIssuers: documented(
    count(1, 1_000_000).prefault(1000),
    'Fetched key sets that are kept at once; the least recently used one gives way.',
  ),
  minTtl: documented(
    duration('0s', '24h').optional(),
    'Shortest time a fetched set is kept, whatever its Cache-Control says. Default: 1m, or `maxTtl` where that is shorter.',
    '1m',
  ),
  maxTtl: documented(
    duration('0s', '480h').prefault('1h'),
    'Longest time a fetched set is kept. `0s`: fetched again for every token, in single flight; for tests.',
    '1h',
  ),
  cooldown: documented(
    duration('0s', '24h').prefault('30s'),
    'An unknown key id refetches a set at most this often.',
    '30s',
  ),
  staleIfError: documented(
    duration('0s', '8760h').prefault('24h'),
    'How long the last good set serves while the issuer is down.',
    '24h',
  ),
  timeout: documented(duration('1ms', '1m').prefault('5s'), 'Time-out of one fetch, all of it.', '5s'),
  maxBytes: documented(
    size('1B', '64MiB').prefault('1MiB'),
    'Largest document that is read, after decompression.',
    '1MiB',
  ),
  allowHttp: documented(
    flag().prefault(false),
    'Take plain http from hosts that are not loopback. Anybody on the network path can then forge keys.',
    false,
  ),
  snapshotDir: appliesAt(
    'restart',
    documented(
      text('a path').optional(),
      'Folder for the last good sets, so that a restart survives a dead issuer.',
      '/var/lib/portcullis/jwks',
    ),
  ),
}).prefault({});

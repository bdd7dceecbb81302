import { z } from 'zod';
import {
  appliesAt,
  choice,
  count,
  dictionary,
  documented,
  duration,
  flag,
  list,
  section,
  text,
  webUrl,
} from '../fields.js';
import { keySet, shortText } from './issuers.js';

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
const TOKEN_PREFIX = /^[A-Za-z0-9_-]{1,32}$/;

const scopeNames = () =>
  z.array(
    text('the name of a scope', (value) => SCOPE.test(value)),
    { error: 'must be a list of scopes' },
  );
const names = (what: string) => z.array(shortText(what), { error: `must be a list of ${what}s` });

const store = z.discriminatedUnion(
  'type',
  [
    section({
      type: documented(choice(['sqlite']), 'Kind of store.'),
      path: documented(text('a path').prefault('./portcullis.db'), 'Database file.', './portcullis.db'),
    }),
    section({
      type: documented(choice(['postgres']), 'Kind of store.'),
      url: documented(text('a URL'), 'Connection URL.', '${env:DATABASE_URL}'),
    }),
    section({
      type: documented(choice(['dynamodb']), 'Kind of store.'),
      table: documented(text('a table name'), 'Table.', 'portcullis'),
      region: documented(text('a region').prefault('us-east-1'), 'AWS region.', 'eu-central-1'),
      endpoint: documented(webUrl().optional(), 'Endpoint, for tests.', 'http://127.0.0.1:8000'),
    }),
  ],
  { error: 'must be a mapping whose type is one of sqlite, postgres, dynamodb' },
);

const sealing = section({
  secrets: documented(
    list(text('a secret'), 'a list with at least one secret'),
    'Secrets of at least 32 random bytes, the same on every replica. The first seals, all open; so a new one goes first, and the old one leaves after `ttl`.',
    ['${env:SEALING_SECRET}'],
  ),
});

const scrypt = section({
  cost: documented(
    z
      .union([z.literal(16384), z.literal(32768), z.literal(65536), z.literal(131072)], {
        error: 'must be one of 16384, 32768, 65536, 131072',
      })
      .prefault(32768),
    'N of new hashes. Those of lower cost are made again when they are used.',
  ),
  blockSize: documented(z.literal(8, { error: 'must be 8' }).prefault(8), 'r of new hashes.'),
  parallelization: documented(count(1, 4).prefault(1), 'p of new hashes.'),
  concurrency: documented(
    count(1, 64).prefault(2),
    'Hashes computed at a time; each needs 128 * N * r bytes.',
  ),
  queue: documented(count(0, 10_000).prefault(64), 'Hashes that may wait; beyond that the answer is 503.'),
}).prefault({});

const clients = section({
  claim: documented(
    shortText('a claim name').prefault('iss'),
    'The claim of an assertion that names the client.',
  ),
  dir: documented(
    text('a path'),
    'Folder with `CLIENT.pem`, one or more public keys, and `CLIENT.yaml`, whose `scopes` may be asked for; its other members ride in `session`.',
    './clients',
  ),
});

const exchange = section({
  issuers: documented(
    list(webUrl(), 'a list with at least one issuer'),
    'Whose tokens may be exchanged: entries of `issuers`, or `tokens.issuer`.',
    ['https://login.example.com'],
  ),
  scopes: documented(scopeNames().prefault([]), 'Scopes that an exchanged token has at most.', [
    'orders:read',
  ]),
  ttl: documented(
    duration('1s', '24h').prefault('5m'),
    'Life of an exchanged token, never past that of the subject token.',
  ),
});

const trust = section({
  issuer: documented(
    webUrl(),
    'Who signs the assertions: an entry of `issuers`, or one with a source of keys here.',
    'https://token.actions.githubusercontent.com',
  ),
  discovery: documented(
    z.union([flag(), webUrl()], { error: 'must be true or an https URL' }).optional(),
    'Keys through discovery, or the URL of the metadata document.',
    true,
  ),
  jwksUri: documented(webUrl().optional(), 'Keys from this JWK set.', 'https://login.example.com/jwks'),
  jwks: documented(
    keySet.optional(),
    'Keys from this JWK set: inline, as JSON text, or the path of a file.',
    './jwks.json',
  ),
  audience: documented(
    text('an audience').optional(),
    'What must be in `aud`. Default: `tokens.issuer`.',
    'https://gate.example.com',
  ),
  profile: documented(
    choice(['workload', 'id-jag']).prefault('workload'),
    '`workload`: tokens of Kubernetes, SPIFFE, GitHub Actions and the like. `id-jag`: identity assertions, typ `oauth-id-jag+jwt`. A `jti` counts once.',
  ),
  subject: documented(
    shortText('a subject').optional(),
    '`sub`: exact, or with a final `*`.',
    'repo:acme/app:*',
  ),
  claims: documented(
    dictionary(
      shortText('a claim name'),
      z.union(
        [z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number(), z.boolean()]))],
        { error: 'must be a value, or a list of values' },
      ),
    ).optional(),
    'Claims that must be there and be equal to the value, or to one of a list.',
    { repository: 'acme/app' },
  ),
  client: documented(
    text('a client id: 1 to 128 of A-Z a-z 0-9 @ . _ -', (value) => /^[A-Za-z0-9@._-]{1,128}$/.test(value)),
    '`sub` and `client_id` of the tokens.',
    'deployer',
  ),
  scopes: documented(scopeNames().prefault([]), 'Scopes that may be asked for.', ['orders:read']),
  roles: documented(names('a role').prefault([]), '`roles` of the tokens.', ['deployer']),
  ttl: documented(duration('1s', '24h').optional(), 'Life of the tokens. Default: `tokens.ttl`.', '15m'),
  reusable: documented(
    flag().prefault(false),
    'A workload token may be used again until it expires: for platforms that write it to a file which is read many times, such as Kubernetes.',
  ),
});

const limits = section({
  failures: documented(
    count(1, 100_000).prefault(10),
    'Failed authentications per id and address, and failing ids per address, in one window. Beyond that: 429.',
  ),
  window: documented(duration('1s', '24h').prefault('1m'), 'The window.'),
}).prefault({});

/** `tokens`: tokens that Portcullis itself signs. */
export const tokensSection = section({
  issuer: documented(webUrl(), '`iss` of the tokens that Portcullis signs.', 'https://gate.example.com'),
  audiences: documented(
    list(text('an audience'), 'a list with at least one audience').optional(),
    '`aud` of access tokens that are issued, and what Check accepts of it. Default: `tokens.issuer` alone.',
    ['https://api.example.com'],
  ),
  keys: documented(
    text('a path, or the JSON text of a key set'),
    'The signing key set, as the path of a file or JSON text. Made by `portcullis keys generate`, replaced by `portcullis keys rotate`.',
    './keys.json',
  ),
  ttl: documented(duration('1s', '24h').prefault('1h'), 'Life of access tokens from the token endpoint.'),
  format: documented(
    choice(['jwt', 'sealed']).prefault('jwt'),
    '`jwt`: RFC 9068. `sealed`: opaque to everybody else, encrypted, and still not stored; needs `sealing`.',
  ),
  sealing: documented(
    sealing.optional(),
    'Secrets of sealed tokens. Those that are listed open tokens whatever `format` is.',
    {
      secrets: ['${env:SEALING_SECRET}'],
    },
  ),
  store: appliesAt(
    'restart',
    documented(
      store.optional(),
      'Where personal access tokens are kept. Default: SQLite in `./portcullis.db`, once any key below `ttl` is used that needs it, or nothing but `tokens` uses the keys and `server.public` is there.',
      { type: 'sqlite', path: './portcullis.db' },
    ),
  ),
  prefix: documented(
    text('1 to 32 of A-Z a-z 0-9 _ -', (value) => TOKEN_PREFIX.test(value)).prefault('pat_'),
    'How personal access tokens begin, so that scanners find them where they do not belong.',
  ),
  direct: documented(flag().prefault(false), 'A personal access token is accepted by Check itself.'),
  scrypt: documented(scrypt, 'How the secrets of personal access tokens are hashed.'),
  bootstrapAdmin: documented(
    text('a PHC string').optional(),
    'The hash of a first admin token, as `portcullis pat bootstrap` prints it. It exists in the configuration alone.',
    '${env:ADMIN_PHC}',
  ),
  grants: documented(
    list(choice(['client_credentials', 'jwt_bearer', 'token_exchange']), 'a list of grants').prefault([
      'client_credentials',
    ]),
    'What the token endpoint takes.',
  ),
  clients: documented(clients.optional(), 'Clients with keys of their own, for `jwt_bearer`.', {
    dir: './clients',
  }),
  trust: documented(
    list(trust, 'a list with at least one rule').optional(),
    'Issuers whose assertions become tokens of a client, for `jwt_bearer`. The first rule that fits decides.',
  ),
  exchange: documented(exchange.optional(), 'What may be exchanged, for `token_exchange`.', {
    issuers: ['https://login.example.com'],
    scopes: ['orders:read'],
  }),
  admin: documented(
    flag().prefault(true),
    'The page at `/admin/` on the public port. The API is there in any case.',
  ),
  limits: documented(limits, 'Limits on failed authentications.'),
}).optional();

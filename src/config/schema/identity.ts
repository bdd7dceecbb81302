import { z } from 'zod';
import { choice, dictionary, documented, duration, flag, headerName, section, text } from '../fields.js';
import { shortText } from './issuers.js';

const claimName = shortText('a claim name');

const mapping = section({
  claim: documented(claimName, 'The claim. A dotted name walks objects.', 'roles'),
  as: documented(
    choice(['csv', 'json']).optional(),
    'How a list is written. Default: its text where it is one value, JSON otherwise.',
    'csv',
  ),
});

const source = z
  .union([claimName, mapping], { error: 'must be the name of a claim, or { claim, as }' })
  .transform((value): z.output<typeof mapping> => (typeof value === 'string' ? { claim: value } : value));

const token = section({
  header: documented(
    headerName().prefault('x-portcullis-identity'),
    'The header that carries it.',
    'x-portcullis-identity',
  ),
  audience: documented(text('an audience').prefault('upstream'), '`aud` of the token.', 'upstream'),
  ttl: documented(duration('2s', '1h').prefault('60s'), 'Its life.', '60s'),
});

/** `identity`: what the upstream learns of the client. */
export const identitySection = section({
  headers: documented(
    dictionary(headerName(), source).prefault({}),
    'Header → claim. An absent claim removes the header; what is not visible ASCII (a space is not), and `%` itself, is percent-encoded, so that decoding gives the claim back.',
    { 'x-user-id': 'sub', 'x-user-roles': { claim: 'roles', as: 'csv' } },
  ),
  credential: documented(
    choice(['remove', 'forward']).prefault('remove'),
    "`forward`: the client's credential goes on to the upstream, its DPoP proof included.",
  ),
  methodOverride: documented(
    choice(['remove', 'forward']).prefault('remove'),
    'What becomes of `X-HTTP-Method`, `X-HTTP-Method-Override` and `X-Method-Override` on an allowed request. `forward`: an upstream that honours them acts on a method that was not judged.',
  ),
  metadata: documented(
    flag().prefault(true),
    'The same claims as dynamic metadata of `envoy.filters.http.ext_authz`.',
  ),
  token: documented(
    token.optional(),
    'A signed short token for the upstream. Needs `tokens.issuer` and `tokens.keys`. Absent: off.',
    { audience: 'upstream' },
  ),
}).prefault({});

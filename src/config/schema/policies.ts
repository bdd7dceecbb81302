import { z } from 'zod';
import {
  choice,
  dictionary,
  documented,
  duration,
  flag,
  list,
  origin,
  policyName,
  section,
  text,
} from '../fields.js';
import { hostPattern, pathPattern } from '../patterns.js';
import { shortText } from './issuers.js';

/** RFC 6749 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
const scope = text('a scope: visible ASCII without blank, quote and backslash', (value) => SCOPE.test(value));
const claimName = shortText('a claim name');

const scopes = section({
  all: documented(list(scope, 'a list with at least one scope').optional(), 'All of these.', [
    'orders:write',
  ]),
  any: documented(list(scope, 'a list with at least one scope').optional(), 'At least one of these.', [
    'orders:read',
    'orders:write',
  ]),
});

const role = shortText('a role');
const roles = section({
  all: documented(list(role, 'a list with at least one role').optional(), 'All of these.', ['staff']),
  any: documented(list(role, 'a list with at least one role').optional(), 'At least one of these.', [
    'admin',
    'ops',
  ]),
  claims: documented(
    list(claimName, 'a list with at least one claim').prefault(['roles', 'role']),
    'The claims that hold roles: lists, or text with roles separated by spaces or commas. The text of a claim `role` is one role and never split. A dotted name walks objects.',
    ['realm_access.roles'],
  ),
});

const SCALAR = 'text, a number or true or false';
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: `must be ${SCALAR}` }).refine(
  // Beyond this JSON readers round, and two numbers that differ would be equal.
  (value) =>
    typeof value !== 'number' ||
    (Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)),
  { error: 'must be a number that JSON keeps exactly; quote it where the claim is text' },
);
const expected = z.union([scalar, z.array(scalar).min(1, { error: 'must have at least one entry' })], {
  error: `must be ${SCALAR}, or a list of these`,
});

const stepUp = section({
  acr: documented(
    list(
      text('an acr value without blanks', (value) => /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(value)),
      'a list with at least one acr value',
    ).optional(),
    'Accepted authentication context classes.',
    ['urn:mfa'],
  ),
  maxAge: documented(
    duration('1s', '8760h').optional(),
    'How long ago the user may have authenticated (`auth_time`).',
    '15m',
  ),
});

const cors = section({
  origins: documented(
    list(origin(), 'a list with at least one origin'),
    'Origins whose scripts may read a denial, its challenge and DPoP-Nonce.',
    ['https://app.example.com'],
  ),
});

const policy = section({
  access: documented(
    choice(['anonymous', 'optional', 'required']).prefault('required'),
    '`anonymous`: credentials are not looked at. `optional`: none is fine, a bad one is refused. `required`: a good one is needed.',
  ),
  issuers: documented(
    list(text('an issuer of this file')).optional(),
    'Issuers whose tokens are accepted. Default: all.',
    ['https://login.example.com'],
  ),
  scopes: documented(scopes.optional(), 'Scopes that the token must have.', { all: ['orders:write'] }),
  roles: documented(roles.optional(), 'Roles that the token must have.', { any: ['admin', 'ops'] }),
  claims: documented(
    dictionary(claimName, expected).optional(),
    'Claims that must equal a value, or one of several. A claim that is a list must contain it.',
    { tenant: 'acme', amr: ['mfa', 'otp'] },
  ),
  when: documented(
    text('a CEL expression').optional(),
    'A condition in CEL over `claims`, `request` and `token`.',
    'claims.tenant == request.headers["x-tenant"]',
  ),
  senderConstraint: documented(
    choice(['dpop', 'mtls', 'any']).optional(),
    'The token must be bound to its sender, in this way.',
  ),
  stepUp: documented(stepUp.optional(), 'How strong and how recent the authentication must be (RFC 9470).', {
    acr: ['urn:mfa'],
    maxAge: '15m',
  }),
  corsPreflight: documented(
    choice(['allow', 'deny']).prefault('deny'),
    '`allow`: OPTIONS with Origin and Access-Control-Request-Method passes without a credential.',
  ),
  cors: documented(cors.optional(), 'Who may read denials from a browser.', {
    origins: ['https://app.example.com'],
  }),
  errors: documented(
    choice(['oauth', 'problem', 'scim']).prefault('oauth'),
    'Body of a denial: OAuth JSON, RFC 9457, or RFC 7644.',
  ),
  consume: documented(
    flag().prefault(true),
    '`false`: a DPoP proof is checked, not spent; for a gate that stands before another verifier.',
  ),
  shadow: documented(
    policyName().optional(),
    'A policy that is evaluated beside this one, counted and logged, and never answers.',
    'orders-write-v2',
  ),
});

/** What code may ask for beyond a policy, with the words and bounds of policies. */
export const demandsSchema = section({
  optional: flag().optional(),
  scopes: scopes.optional(),
  roles: roles.optional(),
  senderConstraint: policy.shape.senderConstraint,
  stepUp: stepUp.optional(),
  errors: choice(['oauth', 'problem', 'scim']).optional(),
});

/** `policies`: what a request must show. */
export const policiesSection = dictionary(policyName(), policy).prefault({});

/** The policy of this name is there unless it is redefined. */
export const DEFAULT_POLICY = 'default';

/** What it is then: the defaults of every policy. */
export const createDefaultPolicy = (): z.output<typeof policy> => policy.parse({});

const route = section({
  hosts: documented(
    list(hostPattern(), 'a list with at least one host').optional(),
    'Hosts: exact, or `*.` and a suffix. Case, port and final dot do not count. Default: all.',
    ['api.example.com', '*.example.org'],
  ),
  paths: documented(
    list(pathPattern(), 'a list with at least one path').optional(),
    'Path patterns: `*` is one segment, `**` at the end the rest, `{name}` one segment that `when` can read. Default: all.',
    ['/orders/{id}', '/public/**'],
  ),
  methods: documented(
    list(
      text('a method in upper case', (value) => /^[A-Z][A-Z0-9_-]{0,63}$/.test(value)),
      'a list with at least one method',
    ).optional(),
    'Methods, in upper case. GET takes HEAD as well. Default: all.',
    ['GET', 'POST'],
  ),
  policy: documented(policyName(), 'The policy that judges.', 'orders-write'),
});

/** `routes`: which policy judges which request. */
export const routesSection = z.array(route, { error: 'must be a list of routes' }).prefault([]);

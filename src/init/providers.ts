/** What is particular to an identity provider, as far as a first configuration needs it. */

/** A provider that `init` knows. */
export interface Provider {
  readonly title: string;
  /** How its issuer identifiers look; shown where none was given. */
  readonly issuerForm: string;
  /** Used where none was given. */
  readonly defaultIssuer?: string;
  /** What the audience is, and where it is set up. */
  readonly audience: string;
  /** Comments above the issuer: what has to be set up at the provider. A line each. */
  readonly notes: readonly string[];
  /** Lines of the policy `signed-in`, as YAML. */
  readonly policy: readonly string[];
  /** Claims that a token of this provider has, for the table of cases. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Claim with roles, dotted; undefined: it has none that is worth a header. */
  readonly rolesClaim?: string;
}

const ROLES_HINT = '# roles: { any: [admin], claims: [CLAIM] }';
const withRoles = (claim: string): string => ROLES_HINT.replace('CLAIM', claim);
const SCOPES_HINT = '# scopes: { all: [orders:read] }';

/** Name → provider. */
export const PROVIDERS = {
  generic: {
    title: 'an OpenID or OAuth issuer',
    issuerForm: 'https://login.example.com',
    audience: 'the identifier of your API, as the issuer puts it into `aud`',
    notes: [
      'Keys come through OpenID discovery, then RFC 8414. For other sources see docs/configuration.md#issuers.',
    ],
    policy: [SCOPES_HINT],
    claims: {},
  },
  keycloak: {
    title: 'Keycloak',
    issuerForm: 'https://HOST/realms/REALM',
    audience: 'the client id of your API, put into `aud` by an audience mapper',
    notes: [
      'Keycloak puts your API into `aud` only where a client scope of the client has an Audience mapper',
      '(Client scopes > Add mapper > By configuration > Audience). Without it aud is "account": 401 invalid_audience.',
    ],
    policy: [withRoles('realm_access.roles'), SCOPES_HINT],
    claims: { azp: 'web', realm_access: { roles: ['user'] } },
    rolesClaim: 'realm_access.roles',
  },
  auth0: {
    title: 'Auth0',
    issuerForm: 'https://TENANT.auth0.com/ (with the final slash)',
    audience: 'the identifier of the API (Applications > APIs)',
    notes: [
      'The issuer ends with a slash, and is compared byte for byte.',
      'Clients must ask for the API with `audience`, else they get an opaque token for /userinfo: 401 malformed_token.',
    ],
    policy: [withRoles('permissions'), SCOPES_HINT],
    claims: { azp: 'web', scope: 'openid' },
    rolesClaim: 'permissions',
  },
  okta: {
    title: 'Okta',
    issuerForm: 'https://ORG.okta.com/oauth2/default',
    audience: 'the audience of the custom authorization server, such as api://default',
    notes: [
      'Use a custom authorization server (/oauth2/default or /oauth2/ID): tokens of the org server are for Okta itself,',
      'and others cannot verify them. Scopes are in `scp`, groups in a claim that you add.',
    ],
    policy: [SCOPES_HINT, withRoles('groups')],
    claims: { cid: 'web', scp: ['openid'] },
  },
  entra: {
    title: 'Microsoft Entra ID',
    issuerForm: 'https://login.microsoftonline.com/TENANT-ID/v2.0',
    audience: 'the application (client) id of the API: a UUID for v2.0 tokens, api://… for v1.0 ones',
    notes: [
      'Set requestedAccessTokenVersion (accessTokenAcceptedVersion) to 2 in the manifest of the API. Otherwise its tokens are',
      'v1.0: issuer https://sts.windows.net/TENANT-ID/ and audience api://…, both of which would have to stand here.',
      'Clients must ask for a scope of the API (api://…/name or UUID/.default): tokens for Microsoft Graph cannot be verified by',
      'others. Delegated scopes are in `scp`, application permissions in `roles`. One tenant: not `common`.',
    ],
    policy: [SCOPES_HINT, withRoles('roles')],
    claims: { azp: 'web', ver: '2.0', scp: 'access_as_user' },
    rolesClaim: 'roles',
  },
  google: {
    title: 'Google',
    issuerForm: 'https://accounts.google.com',
    defaultIssuer: 'https://accounts.google.com',
    audience: 'the audience that service accounts ask for, such as the URL of your service',
    notes: [
      'Google access tokens are opaque, have no introspection endpoint, and are for Google APIs. What can be verified here are',
      'identity tokens of service accounts (gcloud auth print-identity-token --audiences=…, or the metadata server).',
      'ID tokens of users are not access tokens; those that show it (nonce, at_hash) are refused: 401 invalid_token_type.',
    ],
    policy: [
      'claims: { email_verified: true }',
      '# claims: { email: [robot@project.iam.gserviceaccount.com] }',
    ],
    claims: { email: 'robot@project.iam.gserviceaccount.com', email_verified: true },
  },
  cognito: {
    title: 'Amazon Cognito',
    issuerForm: 'https://cognito-idp.REGION.amazonaws.com/POOL-ID',
    audience: 'what is in `aud` of its access tokens; see the comment in the file',
    notes: [
      'Access tokens of Cognito have no `aud` unless you see to it, and are refused then: 401 invalid_audience. Either clients',
      'ask with `resource` (resource binding, RFC 8707), and aud is that URL; or a pre token generation trigger (V2) adds',
      '`aud` with the id of the app client, and that id stands here. The client is in `client_id`.',
      'ID tokens have the app client in `aud` too: the policy asks for token_use, so that none passes for an access token.',
    ],
    policy: ['claims: { token_use: access }', SCOPES_HINT, withRoles('cognito:groups')],
    claims: { token_use: 'access', client_id: 'web', scope: 'openid' },
    rolesClaim: 'cognito:groups',
  },
  zitadel: {
    title: 'Zitadel',
    issuerForm: 'https://INSTANCE.zitadel.cloud',
    audience: 'the project id, asked for with the scope urn:zitadel:iam:org:project:id:PROJECT-ID:aud',
    notes: [
      'Access tokens are opaque by default: choose the token type JWT at the application or service user, or use',
      '`introspection` here (docs/guides/opaque-tokens.md).',
    ],
    policy: [SCOPES_HINT],
    claims: { client_id: 'web' },
  },
} as const satisfies Readonly<Record<string, Provider>>;

/** A name of `--provider`. */
export type ProviderName = keyof typeof PROVIDERS;

/** All of them. */
export const PROVIDER_NAMES = Object.keys(PROVIDERS) as readonly ProviderName[];

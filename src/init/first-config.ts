import type { Provider } from './providers.js';

/** What a first configuration is made of. */
export interface FirstConfigOptions {
  readonly provider: Provider;
  readonly issuer: string;
  readonly audience: string;
  /** In front of what. */
  readonly front: 'envoy' | 'istio';
}

/** Writes the configuration. Issuer and audience are quoted; whether they are good is for the loader to say. */
export function firstConfig({ provider, issuer, audience, front }: FirstConfigOptions): string {
  const isMesh = front === 'istio';
  const roles =
    provider.rolesClaim === undefined
      ? []
      : [`    x-user-roles: { claim: ${quoted(provider.rolesClaim)}, as: csv }`];
  return [
    `# Portcullis for tokens of ${provider.title}. Every key: docs/configuration.md, or portcullis schema.`,
    '',
    'server:',
    `  grpc: ${isMesh ? '0.0.0.0:9191' : '127.0.0.1:9191'}`,
    '  admin: 127.0.0.1:9192   # metrics, /readyz, /status',
    '',
    'issuers:',
    ...provider.notes.map((note) => `  # ${note}`),
    `  - issuer: ${quoted(issuer)}`,
    `    # ${provider.audience}`,
    `    audiences: [${quoted(audience)}]`,
    '',
    'policies:',
    '  public: { access: anonymous }',
    '  signed-in:',
    '    access: required',
    ...provider.policy.map((line) => `    ${line}`),
    '',
    '# The first that matches; a request that none matches is refused.',
    'routes:',
    '  - { paths: [/healthz], methods: [GET], policy: public }',
    '  - { paths: [/**], policy: signed-in }',
    '',
    '# What the upstream is told. It gets these from the token, or not at all.',
    'identity:',
    '  headers:',
    '    x-user-id: sub',
    ...roles,
    '',
  ].join('\n');
}

/** Writes a table of cases for `portcullis test` that the first configuration meets. */
export function firstCases({ provider }: FirstConfigOptions): string {
  return [
    '# portcullis test --config portcullis.yaml cases.yaml        Requests, and what they must be answered with.',
    `claims: ${JSON.stringify(provider.claims)}`,
    'cases:',
    '  - { name: health is public, request: GET /healthz, expect: anonymous }',
    '  - { name: no token, request: GET /orders, expect: missing_credential }',
    '  - { name: a token of the issuer, request: GET /orders, token: {}, expect: allow }',
    '  - { name: an expired token, request: GET /orders, token: expired, expect: expired_token }',
    '  - { name: a token for another service, request: GET /orders, token: { aud: elsewhere }, expect: invalid_audience }',
    '',
  ].join('\n');
}

/** A JSON string is a YAML string. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

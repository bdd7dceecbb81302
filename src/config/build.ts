import {
  ASYMMETRIC_ALGORITHMS,
  type AsymmetricAlgorithm,
  type SignatureAlgorithm,
  type SymmetricAlgorithm,
} from '../jwk/types.js';
import type {
  AuditConfig,
  Config,
  IssuerConfig,
  JwksConfig,
  RevocationConfig,
  ServerConfig,
  TlsConfig,
  StaticKeyConfig,
} from './config.js';
import { buildTokens } from './build-tokens.js';
import type { ClientCredential, IntrospectionSettings } from '../introspection/types.js';
import { type Content, readClientKey, readJwkSet, readPem } from './key-material.js';
import type { ConfigFiles } from './files.js';
import { deepFreeze } from './freeze.js';
import type { ParsedConfig } from './schema.js';
import { createDefaultPolicy, DEFAULT_POLICY } from './schema/policies.js';
import { revocationSection } from './schema/revocation.js';

const DEFAULT_REVOCATION_PATH = './revocations.db';
const DEFAULT_MIN_TTL_MS = 60_000;

/**
 * Makes the configuration out of a file that passed every check: reads in what it names, and fills in the defaults
 * that depend on other keys.
 *
 * @param parsed checked; a file that cannot be read is a bug here, since the checks have read it
 */
export function buildConfig(parsed: ParsedConfig, files: ConfigFiles): Config {
  const { server, issuers, jwks, policies, revocation: _, ...rest } = omit(parsed, ['tracing', 'audit']);
  const config: Config = {
    ...rest,
    server: buildServer(server, files),
    issuers: issuers.map((issuer) => buildIssuer(issuer, files)),
    jwks: buildJwks(jwks, files),
    policies: withDefaultPolicy(policies),
    revocation: buildRevocation(parsed, files),
    tokens: buildTokens(parsed, files),
    audit: buildAudit(parsed, files),
    tracing: parsed.tracing && { ...parsed.tracing, endpoint: tracesUrl(parsed.tracing.endpoint) },
  };
  return deepFreeze(config);
}

function withDefaultPolicy(policies: ParsedConfig['policies']): ParsedConfig['policies'] {
  return Object.assign(
    Object.create(null) as ParsedConfig['policies'],
    { [DEFAULT_POLICY]: createDefaultPolicy() },
    policies,
  );
}

function buildServer(
  { tls, publicTls, http, ...server }: ParsedConfig['server'],
  files: ConfigFiles,
): ServerConfig {
  return {
    ...server,
    http: http && { ...http, tls: buildTls(http.tls, files) },
    tls: buildTls(tls, files),
    publicTls: buildTls(publicTls, files),
  };
}

interface ParsedTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
}

function buildTls(tls: ParsedTls | undefined, files: ConfigFiles): TlsConfig | undefined {
  if (tls === undefined) return undefined;
  const read = (source: string): string => must(readPem(source, files));
  const clientCa = tls.clientCa === undefined ? undefined : read(tls.clientCa);
  return { cert: read(tls.cert), key: read(tls.key), clientCa };
}

function buildIssuer(parsed: ParsedConfig['issuers'][number], files: ConfigFiles): IssuerConfig {
  const { discovery, jwks, introspection, clientKeys, ...issuer } = parsed;
  const keys = issuer.keys?.map((key) => buildKey(key, files));
  const hasSource = [issuer.jwksUri, jwks, keys, clientKeys].some((source) => source !== undefined);
  return {
    ...issuer,
    discovery: hasSource || discovery === false ? undefined : (discovery ?? true),
    jwksUri: issuer.jwksUri,
    jwks: jwks === undefined ? undefined : must(readJwkSet(jwks, files)),
    keys,
    clientKeys: clientKeys && { ...clientKeys, dir: files.locate(clientKeys.dir) },
    algorithms: issuer.algorithms ?? defaultAlgorithms(keys),
    introspection: introspection === undefined ? undefined : buildIntrospection(introspection, files),
  };
}

type ParsedIntrospection = NonNullable<ParsedConfig['issuers'][number]['introspection']>;

function buildIntrospection(parsed: ParsedIntrospection, files: ConfigFiles): IntrospectionSettings {
  const { endpoint, tokenPrefix, ...settings } = omit(parsed, ['clientSecret', 'auth', 'key', 'tls']);
  return { ...settings, endpoint, tokenPrefix, credential: buildCredential(parsed, files) };
}

function buildCredential(
  { auth: method, clientSecret, key, tls }: ParsedIntrospection,
  files: ConfigFiles,
): ClientCredential {
  switch (method) {
    case 'private_key_jwt':
      return { method, key: must(readClientKey(key, files)) };
    case 'tls_client_auth': {
      const read = (source = ''): string => must(readPem(source, files));
      return { method, cert: read(tls?.cert), key: read(tls?.key) };
    }
    default:
      return { method, secret: clientSecret ?? '' };
  }
}

/** Secrets bring their algorithms along; an issuer with secrets alone accepts nothing else. */
function defaultAlgorithms(keys: readonly StaticKeyConfig[] | undefined): readonly SignatureAlgorithm[] {
  const secrets = (keys ?? []).flatMap((key) => ('secret' in key ? key.alg : []));
  const onlySecrets = keys?.length === secrets.length;
  return [...(onlySecrets ? [] : ASYMMETRIC_ALGORITHMS), ...new Set(secrets)];
}

type ParsedKey = NonNullable<ParsedConfig['issuers'][number]['keys']>[number];

function buildKey({ kid, alg, pem, file, secret }: ParsedKey, files: ConfigFiles): StaticKeyConfig {
  if (secret !== undefined) return { kid, alg: alg as SymmetricAlgorithm, secret };
  return { kid, alg: alg as AsymmetricAlgorithm | undefined, pem: pem ?? must(readPem(file ?? '', files)) };
}

function buildJwks(jwks: ParsedConfig['jwks'], files: ConfigFiles): JwksConfig {
  const { snapshotDir } = jwks;
  return {
    ...jwks,
    minTtl: Math.min(jwks.minTtl ?? DEFAULT_MIN_TTL_MS, jwks.maxTtl),
    snapshotDir: snapshotDir === undefined ? undefined : files.locate(snapshotDir),
  };
}

/** What can revoke turns it on: a logout that nothing heeds would be a trap. */
function buildRevocation(parsed: ParsedConfig, files: ConfigFiles): RevocationConfig | undefined {
  const { revocation, issuers, tokens } = parsed;
  const isNeeded = tokens !== undefined || issuers.some(({ logout, events }) => logout ?? events);
  if (revocation === undefined && !isNeeded) return undefined;
  const given = revocation ?? revocationSection.unwrap().parse({});
  return { ...given, path: files.locate(given.path ?? DEFAULT_REVOCATION_PATH) };
}

/** As OTEL_EXPORTER_OTLP_ENDPOINT is read: a URL without a path is that of the collector. */
function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

function buildAudit({ audit }: ParsedConfig, files: ConfigFiles): AuditConfig | undefined {
  if (audit === undefined) return undefined;
  return audit.file === undefined ? { stdout: true } : { file: files.locate(audit.file) };
}

/** Without what checks have refused. */
function omit<T extends object, K extends keyof T>(value: T, names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name as K))) as Omit<
    T,
    K
  >;
}

function must<T>(content: Content<T>): T {
  if ('problem' in content) throw new Error('a file passed its check and cannot be read any more');
  return content.value;
}

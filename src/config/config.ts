import type { SignatureAlgorithm, AsymmetricAlgorithm, SymmetricAlgorithm } from '../jwk/types.js';
import type { JwkSet } from './key-material.js';
import type { DeepReadonly } from './freeze.js';
import type { ParsedConfig } from './schema.js';
import type { IntrospectionSettings } from '../introspection/types.js';
import type { KeySource } from '../jwks/key-source.js';
import type { SigningKeySet } from '../signing/key-set.js';

/** A PEM public key of the file, read in. */
export interface PublicKeyConfig {
  readonly kid: string | undefined;
  /** undefined: every algorithm that fits the key. */
  readonly alg: AsymmetricAlgorithm | undefined;
  readonly pem: string;
}

/** An HMAC secret of the file. */
export interface SecretKeyConfig {
  readonly kid: string | undefined;
  readonly alg: SymmetricAlgorithm;
  /** Taken as UTF-8; as long as the hash at least. */
  readonly secret: string;
}

/** One entry of `keys`; the one with `secret` is the HMAC one. */
export type StaticKeyConfig = PublicKeyConfig | SecretKeyConfig;

type Issuer = ParsedConfig['issuers'][number];

/** An issuer. Exactly one of `discovery`, `jwksUri`, `jwks` and `keys` is there. */
export interface IssuerConfig extends DeepReadonly<
  Omit<Issuer, 'introspection' | 'discovery' | 'jwksUri' | 'jwks' | 'keys' | 'algorithms'>
> {
  /** true: OpenID discovery, then RFC 8414; otherwise the URL of the metadata. */
  readonly discovery: true | string | undefined;
  readonly jwksUri: string | undefined;
  /** Inline, or read from the file that was named; keys unchecked. */
  readonly jwks: JwkSet | undefined;
  readonly keys: readonly StaticKeyConfig[] | undefined;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** undefined: tokens that are not JWTs are refused. */
  readonly introspection: IntrospectionSettings | undefined;
}

/** The TLS material of a port, read in: PEM. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate that it signed; undefined: none is asked for. */
  readonly clientCa: string | undefined;
}

type ParsedTokens = NonNullable<ParsedConfig['tokens']>;

/** What Portcullis signs with, and what it issues. */
export interface TokensConfig {
  readonly issuer: string;
  /** `aud` of access tokens of our own. */
  readonly audiences: readonly string[];
  readonly keys: SigningKeySet;
  /** undefined: identity tokens are signed, and nothing is issued. */
  readonly service: TokenServiceConfig | undefined;
}

/** Personal access tokens and the token endpoint. Paths are absolute. */
export interface TokenServiceConfig extends DeepReadonly<
  Pick<ParsedTokens, 'ttl' | 'format' | 'prefix' | 'direct' | 'scrypt' | 'grants' | 'admin' | 'limits'>
> {
  readonly store: DeepReadonly<NonNullable<ParsedTokens['store']>>;
  readonly sealing: DeepReadonly<ParsedTokens['sealing']>;
  readonly bootstrapAdmin: string | undefined;
  readonly clients: { readonly claim: string; readonly dir: string } | undefined;
  readonly exchange: DeepReadonly<ParsedTokens['exchange']>;
  readonly trust: readonly TrustConfig[];
}

/** One entry of `tokens.trust`. */
export interface TrustConfig {
  readonly issuer: string;
  /** undefined: that of the entry of `issuers`. */
  readonly source: KeySource | undefined;
  readonly audience: string;
  readonly profile: 'workload' | 'id-jag';
  readonly subject: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly ttl: number | undefined;
  /** A workload token may come again until it expires. */
  readonly reusable: boolean;
}

/** `server.http`. */
export interface HttpFrontConfig extends DeepReadonly<
  Omit<NonNullable<ParsedConfig['server']['http']>, 'tls'>
> {
  readonly tls: TlsConfig | undefined;
}

/** `server`. */
export interface ServerConfig extends DeepReadonly<
  Omit<ParsedConfig['server'], 'tls' | 'publicTls' | 'http'>
> {
  /** undefined: the HTTP front is closed. */
  readonly http: HttpFrontConfig | undefined;
  readonly tls: TlsConfig | undefined;
  /** Of the public port; it asks for no client certificate. */
  readonly publicTls: TlsConfig | undefined;
}

/** `jwks`; `minTtl` is never above `maxTtl`, `snapshotDir` is absolute. */
export interface JwksConfig extends DeepReadonly<Omit<ParsedConfig['jwks'], 'minTtl'>> {
  readonly minTtl: number;
}

/** One place where tokens are looked for: exactly one of `header`, `cookie` and `query`. */
export type CredentialPlaceConfig = DeepReadonly<ParsedConfig['credentials'][number]>;
/** `dpop`. */
export type DpopConfig = DeepReadonly<ParsedConfig['dpop']>;
/** `replay`. */
export type ReplayConfig = DeepReadonly<ParsedConfig['replay']>;
/** `revocation`; `path` is absolute. */
export interface RevocationConfig extends DeepReadonly<
  Omit<NonNullable<ParsedConfig['revocation']>, 'path'>
> {
  readonly path: string;
}
/** `mtls`. */
export type MtlsConfig = DeepReadonly<ParsedConfig['mtls']>;
/** A policy. */
export type PolicyConfig = DeepReadonly<ParsedConfig['policies'][string]>;
/** A route. */
export type RouteConfig = DeepReadonly<ParsedConfig['routes'][number]>;
/** `identity`; header names are lower-case, and each has its claim. */
export type IdentityConfig = DeepReadonly<ParsedConfig['identity']>;
/** `tracing`; `endpoint` is complete, `headers` are secrets. */
export type TracingConfig = DeepReadonly<NonNullable<ParsedConfig['tracing']>>;
/** `audit`; `file` is absolute. */
export type AuditConfig = { readonly file: string } | { readonly stdout: true };
/** `log`. */
export type LogConfig = DeepReadonly<ParsedConfig['log']>;

/**
 * A configuration that passed every check. Frozen all the way down. Durations are milliseconds, sizes bytes, paths
 * absolute, files read in, defaults filled in. Mappings with free keys (`policies`, `server.authorities`,
 * `identity.headers`, a policy's `claims`) have no prototype.
 */
export interface Config extends DeepReadonly<
  Pick<ParsedConfig, 'multipleCredentials' | 'maxTokenBytes' | 'tokenCache' | 'redis'>
> {
  readonly server: ServerConfig;
  readonly issuers: readonly IssuerConfig[];
  readonly jwks: JwksConfig;
  readonly credentials: readonly CredentialPlaceConfig[];
  readonly dpop: DpopConfig;
  readonly replay: ReplayConfig;
  /** undefined: off. Also there where `logout`, `events` or `tokens` turn it on. */
  readonly revocation: RevocationConfig | undefined;
  readonly mtls: MtlsConfig;
  /** `default` is always among them. */
  readonly policies: Readonly<Record<string, PolicyConfig>>;
  readonly routes: readonly RouteConfig[];
  readonly identity: IdentityConfig;
  readonly tokens: TokensConfig | undefined;
  readonly log: LogConfig;
  /** undefined: off. */
  readonly audit: AuditConfig | undefined;
  /** undefined: off. */
  readonly tracing: TracingConfig | undefined;
}

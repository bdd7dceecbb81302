import type { KeySource } from '../jwks/key-source.js';
import type { TokensConfig, TokenServiceConfig, TrustConfig } from './config.js';
import { readJwkSet } from './key-material.js';
import type { ConfigFiles } from './files.js';
import type { ParsedConfig } from './schema.js';
import { readSigningKeys } from './signing-keys.js';

type ParsedTokens = NonNullable<ParsedConfig['tokens']>;
type ParsedTrust = NonNullable<ParsedTokens['trust']>[number];

/**
 * Makes `tokens` out of a section that passed every check.
 *
 * @param config checked
 */
export function buildTokens(config: ParsedConfig, files: ConfigFiles): TokensConfig | undefined {
  const parsed = config.tokens;
  if (parsed === undefined) return undefined;
  const keys = readSigningKeys(parsed.keys, files);
  if ('problem' in keys) throw new Error('a file passed its check and cannot be read any more');
  const audiences = parsed.audiences ?? [parsed.issuer];
  return { issuer: parsed.issuer, audiences, keys: keys.value, service: buildService(config, parsed, files) };
}

/** A gate that only signs identity tokens gets no store and no endpoint. */
function buildService(
  config: ParsedConfig,
  parsed: ParsedTokens,
  files: ConfigFiles,
): TokenServiceConfig | undefined {
  if (!usesService(config, parsed)) return undefined;
  const { issuer: _issuer, audiences: _audiences, keys: _keys, trust = [], store, clients, ...rest } = parsed;
  return {
    ...rest,
    sealing: parsed.sealing,
    bootstrapAdmin: parsed.bootstrapAdmin,
    exchange: parsed.exchange,
    store:
      store === undefined || store.type === 'sqlite'
        ? { type: 'sqlite', path: files.locate(store?.path ?? './portcullis.db') }
        : store,
    clients: clients === undefined ? undefined : { ...clients, dir: files.locate(clients.dir) },
    trust: trust.map((rule) => buildTrust(rule, { issuer: parsed.issuer, files })),
  };
}

/** Is anything configured beside what identity tokens are signed with, or are there none, and a port to get tokens at? */
function usesService({ identity, server }: ParsedConfig, parsed: ParsedTokens): boolean {
  if (identity.token === undefined && server.public !== undefined) return true;
  const { store, bootstrapAdmin, sealing, clients, trust, exchange, audiences, direct } = parsed;
  const given = [store, bootstrapAdmin, sealing, clients, trust, exchange, audiences];
  return direct || given.some((one) => one !== undefined);
}

function buildTrust(
  { discovery, jwksUri, jwks, ...rule }: ParsedTrust,
  { issuer, files }: { readonly issuer: string; readonly files: ConfigFiles },
): TrustConfig {
  return {
    ...rule,
    audience: rule.audience ?? issuer,
    subject: rule.subject,
    claims: rule.claims ?? {},
    ttl: rule.ttl,
    source: buildSource({ discovery, jwksUri, jwks }, files),
  };
}

function buildSource(
  { discovery, jwksUri, jwks }: Pick<ParsedTrust, 'discovery' | 'jwksUri' | 'jwks'>,
  files: ConfigFiles,
): KeySource | undefined {
  if (jwksUri !== undefined) return { kind: 'jwksUri', jwksUri };
  if (typeof discovery === 'string') return { kind: 'discovery', metadataUrl: discovery };
  if (discovery === true) return { kind: 'discovery' };
  if (jwks === undefined) return undefined;
  const set = readJwkSet(jwks, files);
  if ('problem' in set) throw new Error('a file passed its check and cannot be read any more');
  return { kind: 'jwks', jwks: set.value };
}

import { isLoopbackHost } from '../../http/address-rules.js';
import { parseScryptPhc } from '../../token-service/scrypt-phc.js';
import type { ConfigValue } from '../config-value.js';
import { readJwkSet } from '../key-material.js';
import { readSigningKeys } from '../signing-keys.js';
import { type CheckContext, refuse } from './context.js';

/** `tokens`: the key set can sign, the issuer is one that verifiers would trust, and what belongs together is there. */
export function checkTokens(ctx: CheckContext): void {
  const tokens = ctx.root.get('tokens');
  const keys = tokens.get('keys');
  const set = keys.text === undefined || keys.text === '' ? undefined : readSigningKeys(keys.text, ctx.files);
  if (set !== undefined && 'problem' in set) refuse(ctx, keys, set.problem);
  checkIssuer(ctx, tokens);
  checkSecrets(ctx, tokens);
  checkGrants(ctx, tokens);
  tokens
    .get('trust')
    .items()
    .forEach((rule) => checkTrust(ctx, rule));
}

function checkIssuer(ctx: CheckContext, tokens: ConfigValue): void {
  const issuer = tokens.get('issuer');
  const url = issuer.text !== undefined && URL.canParse(issuer.text) ? new URL(issuer.text) : undefined;
  if (url === undefined) return;
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    refuse(ctx, issuer, 'must be https; plain http only on loopback hosts');
  if (url.search !== '') refuse(ctx, issuer, 'must have no query (RFC 8414 2)');
  const audience = ctx.root.get('identity').get('token').get('audience');
  const audiences = tokens.get('audiences').exists ? tokens.get('audiences').texts() : [issuer.text];
  // Both kinds are signed with the same keys: an upstream could send its identity token back to us as an access token.
  if (audience.text !== undefined && audiences.includes(audience.text))
    refuse(
      ctx,
      audience,
      'must not be one of tokens.audiences, or identity tokens would be access tokens here',
    );
}

const MIN_SECRET_BYTES = 32;
const MIN_DISTINCT = 8;

function checkSecrets(ctx: CheckContext, tokens: ConfigValue): void {
  const secrets = tokens.get('sealing').get('secrets');
  for (const secret of secrets.items()) {
    const { text } = secret;
    if (text === undefined) continue;
    if (Buffer.byteLength(text) < MIN_SECRET_BYTES || new Set(text).size < MIN_DISTINCT)
      refuse(ctx, secret, 'must hold at least 32 random bytes, for example from `openssl rand -base64 32`');
  }
  if (tokens.get('format').text === 'sealed' && secrets.items().length === 0)
    refuse(ctx, tokens.get('format'), 'sealed needs tokens.sealing.secrets');
  const admin = tokens.get('bootstrapAdmin');
  if (admin.text !== undefined && parseScryptPhc(admin.text) === undefined)
    refuse(
      ctx,
      admin,
      'must be a scrypt hash as `portcullis pat bootstrap` prints it: $scrypt$ln=14..17,r=8,p=1..4$salt$hash',
    );
}

function checkGrants(ctx: CheckContext, tokens: ConfigValue): void {
  const grants = tokens.get('grants');
  const names = grants.texts();
  const hasAny = (...keys: string[]): boolean => keys.some((key) => tokens.get(key).exists);
  if (names.includes('jwt_bearer') && !hasAny('clients', 'trust'))
    refuse(ctx, grants, 'jwt_bearer needs tokens.clients or tokens.trust');
  if (names.includes('token_exchange') && !hasAny('exchange'))
    refuse(ctx, grants, 'token_exchange needs tokens.exchange');
  const known = [...issuerNames(ctx), tokens.get('issuer').text];
  for (const issuer of tokens.get('exchange').get('issuers').items()) {
    if (issuer.text !== undefined && !known.includes(issuer.text))
      refuse(ctx, issuer, 'must be the issuer of an entry of issuers, or tokens.issuer');
  }
}

const SOURCES = ['discovery', 'jwksUri', 'jwks'] as const;

function checkTrust(ctx: CheckContext, rule: ConfigValue): void {
  const issuer = rule.get('issuer');
  const given = SOURCES.filter((source) => rule.get(source).exists && rule.get(source).value !== false);
  if (given.length > 1) refuse(ctx, rule, `must have one source of keys, and has ${given.join(' and ')}`);
  if (given.length === 0 && issuer.text !== undefined && !issuerNames(ctx).includes(issuer.text))
    refuse(ctx, issuer, 'must be the issuer of an entry of issuers, or have discovery, jwksUri or jwks here');
  const jwks = rule.get('jwks');
  const set = jwks.exists ? readJwkSet(jwks.value, ctx.files) : undefined;
  if (set !== undefined && 'problem' in set) refuse(ctx, jwks, set.problem);
  if (rule.get('profile').text === 'id-jag' && rule.get('reusable').value === true)
    refuse(ctx, rule.get('reusable'), 'must not be true for id-jag: an identity assertion counts once');
  // The issuers of workload tokens serve everybody: without more, each of their customers would be let in.
  const isNarrow = (rule.get('subject').text ?? '*') !== '*' || rule.get('claims').keys().length > 0;
  if (rule.get('profile').text !== 'id-jag' && !isNarrow)
    refuse(ctx, rule, 'must name subject or claims, or every workload of this issuer is trusted');
}

function issuerNames(ctx: CheckContext): readonly (string | undefined)[] {
  return ctx.root
    .get('issuers')
    .items()
    .map((issuer) => issuer.get('issuer').text);
}

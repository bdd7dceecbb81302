/** The kinds of tokens that we issue ourselves, as Checks accept them: without the network. */
import { createHash } from 'node:crypto';
import type { TokenIssuer } from './authz/token/jwt-issuer.js';
import type { TokenKind } from './authz/token/kind.js';
import { createPersonalKind, type AskPersonalToken } from './authz/token/personal.js';
import { createSealedKind } from './authz/token/sealed.js';
import type { ClaimRules } from './authz/token/types.js';
import type { Config, TokensConfig } from './config/config.js';
import type { SignatureAlgorithm } from './jwk/types.js';
import type { IssuerKeys } from './jwks/types.js';
import { createTokenSealer } from './signing/sealed-token.js';
import { parsePersonalAccessToken } from './token-service/personal-access-token.js';

/** Longer than anything that we issue lives. */
const MAX_LIFETIME_MS = 86_400_000;

/**
 * Our own issuer among those whose JWTs are accepted: RFC 9068 to the letter, and no clock tolerance.
 *
 * @returns undefined where we issue none
 */
export function ownJwtIssuer({ tokens }: Config, keys: IssuerKeys | undefined): [string, TokenIssuer][] {
  if (tokens?.service === undefined || keys === undefined) return [];
  const algorithms = tokens.keys.public_keys.map(({ alg }) => alg as SignatureAlgorithm);
  return [[tokens.issuer, { ...rulesOf(tokens), algorithms: new Set(algorithms), keys }]];
}

/** Sealed tokens, and personal access tokens where `tokens.direct` says so. */
export function createOwnKinds(config: Config, ask: AskPersonalToken): readonly TokenKind[] {
  const { tokens } = config;
  if (tokens?.service === undefined) return [];
  const { issuer, service } = tokens;
  const { sealing, direct, prefix, bootstrapAdmin = '' } = service;
  const kinds: TokenKind[] = [];
  if (sealing !== undefined) {
    kinds.push(
      createSealedKind({
        issuer,
        sealer: createTokenSealer({ secrets: sealing.secrets, maxBytes: config.maxTokenBytes }),
        rules: rulesOf(tokens),
        section: sectionOf(issuer, tokens.audiences, sealing.secrets),
      }),
    );
  }
  if (direct) {
    kinds.push(
      createPersonalKind({
        issuer,
        isPersonal: (token) => parsePersonalAccessToken(token, prefix) !== undefined,
        ask,
        rules: {
          ...rulesOf(tokens),
          profile: 'compatible',
          maxLifetimeMs: Infinity,
          optional: { aud: false, exp: true },
        },
        section: sectionOf(issuer, tokens.audiences, [prefix, bootstrapAdmin]),
      }),
    );
  }
  return kinds;
}

function rulesOf({ audiences }: TokensConfig): ClaimRules {
  return {
    audiences: new Set(audiences),
    profile: 'rfc9068',
    clockToleranceMs: 0,
    maxLifetimeMs: MAX_LIFETIME_MS,
  };
}

/** Compared per Check, so it is short; a hash, so that it holds no secret. */
function sectionOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

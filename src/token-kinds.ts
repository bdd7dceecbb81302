/**
 * The one list of the kinds of tokens. A new kind is a file in `authz/token/`, and a line here.
 */
import { createConfirmation } from './authz/token/confirmed-jwt.js';
import { createIntrospectedKind } from './authz/token/introspected.js';
import type { IntrospectingIssuer } from './authz/token/introspection-answer.js';
import { createJwtKind } from './authz/token/jwt.js';
import type { TokenKind } from './authz/token/kind.js';
import type { TokenIssuer } from './authz/token/jwt-issuer.js';
import type { Config, IssuerConfig } from './config/config.js';
import type { Introspector } from './introspection/types.js';
import { sectionOf } from './introspections.js';
import type { IssuerKeys } from './jwks/types.js';
import { createOwnKinds, ownJwtIssuer } from './own-token-kinds.js';
import type { AskPersonalToken } from './authz/token/personal.js';
import { tokenRulesOf } from './token-rules.js';

/** Who knows the issuers' keys, and who asks them. */
export interface TokenKindParts {
  keysOf(issuer: IssuerConfig): IssuerKeys;
  /** undefined: the issuer is not asked about tokens. */
  introspectorOf(issuer: IssuerConfig): Introspector | undefined;
  /** Of `tokens.keys`; undefined: nothing is issued here. */
  readonly ownKeys: IssuerKeys | undefined;
  readonly askPersonalToken: AskPersonalToken;
}

/**
 * Makes the kinds of tokens of a configuration. The first that accepts a token verifies it, so the kind that takes
 * whatever is left comes last.
 */
export function createTokenKinds(config: Config, parts: TokenKindParts): readonly TokenKind[] {
  return kindsOf(config, parts, {
    jwt: ownJwtIssuer(config, parts.ownKeys),
    kinds: createOwnKinds(config, parts.askPersonalToken),
  });
}

/** The same without what is issued here: the tokens of `issuers`, and of nobody else. */
export function createForeignKinds(
  config: Config,
  parts: Pick<TokenKindParts, 'keysOf' | 'introspectorOf'>,
): readonly TokenKind[] {
  return kindsOf(config, parts, { jwt: [], kinds: [] });
}

function kindsOf(
  config: Config,
  parts: Pick<TokenKindParts, 'keysOf' | 'introspectorOf'>,
  own: { readonly jwt: readonly [string, TokenIssuer][]; readonly kinds: readonly TokenKind[] },
): readonly TokenKind[] {
  const introspecting = introspectingIssuersOf(config, parts);
  const jwt = createJwtKind({
    issuers: new Map([...jwtIssuersOf(config, { parts, introspecting }), ...own.jwt]),
    maxTokenBytes: config.maxTokenBytes,
    isExact: introspecting.size > 0,
  });
  const kinds = [jwt, ...own.kinds];
  return introspecting.size === 0 ? kinds : [...kinds, createIntrospectedKind(introspecting)];
}

function jwtIssuersOf(
  config: Config,
  from: {
    parts: Pick<TokenKindParts, 'keysOf'>;
    introspecting: ReadonlyMap<string, IntrospectingIssuer>;
  },
): [string, TokenIssuer][] {
  return config.issuers.map((issuer): [string, TokenIssuer] => {
    const asked = issuer.introspection?.always === true ? from.introspecting.get(issuer.issuer) : undefined;
    return [
      issuer.issuer,
      {
        ...tokenRulesOf(issuer),
        keys: from.parts.keysOf(issuer),
        confirmation: asked === undefined ? undefined : createConfirmation(asked),
      },
    ];
  });
}

function introspectingIssuersOf(
  config: Config,
  parts: Pick<TokenKindParts, 'introspectorOf'>,
): Map<string, IntrospectingIssuer> {
  return new Map(
    config.issuers.flatMap((issuer): [string, IntrospectingIssuer][] => {
      const introspector = parts.introspectorOf(issuer);
      if (introspector === undefined || issuer.introspection === undefined) return [];
      const { audience, tokenPrefix } = issuer.introspection;
      // RFC 9068 is about JWTs: what it requires of them is not required of an answer.
      const rules = {
        ...tokenRulesOf(issuer),
        profile: 'compatible' as const,
        optional: { aud: audience === 'optional', exp: true },
      };
      return [[issuer.issuer, { introspector, rules, tokenPrefix, section: sectionOf(config, issuer) }]];
    }),
  );
}

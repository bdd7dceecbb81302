import { Denial } from '../denial.js';
import { askIssuer, concludeAnswer, type IntrospectingIssuer } from './introspection-answer.js';
import type { Freshness, TokenEpoch, TokenKind } from './kind.js';

interface IntrospectedEpoch extends TokenEpoch {
  readonly section: string;
}

const NAME = 'introspected';

/**
 * Opaque tokens: whatever no other kind has taken. Their issuer is asked what they are.
 *
 * @param issuers by issuer identifier; at least one
 * @see RFC 7662
 */
export function createIntrospectedKind(issuers: ReadonlyMap<string, IntrospectingIssuer>): TokenKind {
  return {
    name: NAME,

    accepts(token, allowed) {
      const issuer = issuerOf(token, issuers, allowed);
      if (issuer === undefined) throw new Denial('untrusted_issuer');
      // Its answer could not help, and no outsider should be able to make us ask.
      if (allowed !== undefined && !allowed.has(issuer)) throw new Denial('issuer_not_allowed');
      return issuer;
    },

    async verify(presented) {
      const issuer = mustGet(issuers, presented.issuer);
      const { section } = issuer;
      const epoch: IntrospectedEpoch = { kind: NAME, issuer: presented.issuer, section };
      return concludeAnswer(await askIssuer(issuer.introspector, presented), epoch);
    },

    freshness({ issuer, ...epoch }: TokenEpoch): Freshness {
      const { section } = epoch as IntrospectedEpoch;
      return issuers.get(issuer)?.section === section ? 'current' : 'stale';
    },

    rulesOf: ({ issuer }) => mustGet(issuers, issuer).rules,
  };
}

/** Exactly one issuer is asked, or none: a token is a secret, and is not shown around. */
function issuerOf(
  token: string,
  issuers: ReadonlyMap<string, IntrospectingIssuer>,
  allowed: ReadonlySet<string> | undefined,
): string | undefined {
  const names = [...issuers.keys()];
  if (names.length === 1) return names[0];
  let longest: { readonly issuer: string; readonly length: number } | undefined;
  for (const [issuer, { tokenPrefix }] of issuers) {
    if (tokenPrefix === undefined || !token.startsWith(tokenPrefix)) continue;
    if (tokenPrefix.length > (longest?.length ?? 0)) longest = { issuer, length: tokenPrefix.length };
  }
  if (longest !== undefined) return longest.issuer;
  const [only, ...others] = allowed ?? [];
  return only !== undefined && others.length === 0 && issuers.has(only) ? only : undefined;
}

function mustGet(issuers: ReadonlyMap<string, IntrospectingIssuer>, name: string): IntrospectingIssuer {
  const issuer = issuers.get(name);
  if (issuer === undefined) throw new Denial('untrusted_issuer');
  return issuer;
}

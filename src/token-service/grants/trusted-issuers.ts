import type { IssuerKeys } from '../../jwks/types.js';
import type { Clock, JsonObject } from '../../ports.js';
import {
  assertAssertionClaims,
  assertJti,
  assertSigned,
  invalidAssertion,
  type Assertion,
} from './assertion.js';

/** One entry of `tokens.trust`: whose assertions of which subjects become tokens of which client. */
export interface TrustRule {
  readonly issuer: string;
  readonly keys: IssuerKeys;
  readonly audience: string;
  readonly profile: 'workload' | 'id-jag';
  /** Exact, or with a final `*`; undefined: every subject. */
  readonly subject: string | undefined;
  /** Each must be there and be equal, or be one of a list. */
  readonly claims: JsonObject;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Milliseconds; undefined: `tokens.ttl`. */
  readonly ttlMs: number | undefined;
  /** Of profile `workload`: an assertion may come again until it expires. */
  readonly reusable: boolean;
}

/** What an assertion that was verified comes to. */
export interface Trusted {
  readonly client: string;
  /** Whose key signed it: a client or an issuer, never both under one name. */
  readonly signer: string;
  /** At most. */
  readonly scopes: readonly string[];
  readonly roles: readonly string[] | undefined;
  readonly session: JsonObject | undefined;
  readonly ttlMs: number | undefined;
  /** Its `jti` may be used once. */
  readonly isOnce: boolean;
}

/** The rules of `tokens.trust`. */
export interface TrustRules {
  /**
   * Verifies an assertion under the first rule that fits it.
   *
   * @returns undefined where none does
   * @throws OAuthError invalid_grant; KeysUnavailableError
   */
  verify(assertion: Assertion): Promise<Trusted | undefined>;
}

/** A workload's token comes from a platform that issues no other kind; an ID-JAG says what it is. */
const TYPES = {
  workload: new Set<string | undefined>([undefined, 'jwt', 'application/jwt']),
  'id-jag': new Set<string | undefined>(['oauth-id-jag+jwt', 'application/oauth-id-jag+jwt']),
} as const;
/** Platforms rotate workload tokens within a day; identity assertions live minutes. */
const MAX_LIFETIME_MS = { workload: 25 * 3_600_000, 'id-jag': 3_600_000 } as const;

/**
 * Creates the rules. An issuer is asked for keys only where a rule names it and fits the unverified claims: nothing in an
 * assertion decides where we connect.
 *
 * @see RFC 7523 section 3, draft-ietf-oauth-identity-assertion-authz-grant
 */
export function createTrustRules(rules: readonly TrustRule[], clock: Clock): TrustRules {
  return {
    async verify(assertion) {
      const rule = rules.find((one) => fits(one, assertion));
      if (rule === undefined) return undefined;
      const { claims, header, alg } = assertion;
      assertSigned(assertion, await rule.keys.find(header.kid, alg, claims));
      assertAssertionClaims(claims, {
        audiences: [rule.audience],
        maxLifetimeMs: MAX_LIFETIME_MS[rule.profile],
        nowMs: clock.now(),
      });
      return rule.profile === 'id-jag' ? identityOf(rule, claims) : workloadOf(rule, claims);
    },
  };
}

function fits(rule: TrustRule, { header, claims }: Assertion): boolean {
  return (
    claims.iss === rule.issuer &&
    (TYPES[rule.profile] as ReadonlySet<string | undefined>).has(header.typ) &&
    isFor(claims.aud, rule.audience) &&
    isSubject(claims.sub, rule.subject) &&
    Object.entries(rule.claims).every(([name, wanted]) => isWanted(claims[name], wanted))
  );
}

function isFor(aud: unknown, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience));
}

function isSubject(sub: unknown, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  if (typeof sub !== 'string') return false;
  return pattern.endsWith('*') ? sub.startsWith(pattern.slice(0, -1)) : sub === pattern;
}

function isWanted(value: unknown, wanted: unknown): boolean {
  return Array.isArray(wanted) ? wanted.includes(value) : value === wanted;
}

/** Not every platform gives its tokens a `jti` (SPIFFE does not); those cannot be counted. */
function workloadOf(rule: TrustRule, claims: JsonObject): Trusted {
  const { client, scopes, roles, ttlMs, reusable } = rule;
  const isOnce = !reusable && claims.jti !== undefined;
  if (isOnce) assertJti(claims);
  return { client, signer: signerOf(rule), scopes, roles: listOf(roles), session: undefined, ttlMs, isOnce };
}

function signerOf({ issuer }: TrustRule): string {
  return JSON.stringify(['issuer', issuer]);
}

/** The user whom the assertion is about rides in `session`; `client_id` names the client it was issued to. */
function identityOf(rule: TrustRule, claims: JsonObject): Trusted {
  const { client, scopes, roles, ttlMs } = rule;
  assertJti(claims);
  if (claims.client_id !== undefined && claims.client_id !== client)
    throw invalidAssertion('the assertion was issued to another client');
  const { iss, sub, scope } = claims;
  const granted = typeof scope === 'string' ? new Set(scope.split(' ')) : undefined;
  return {
    client,
    signer: signerOf(rule),
    scopes: granted === undefined ? scopes : scopes.filter((one) => granted.has(one)),
    roles: listOf(roles),
    session: { iss, sub },
    ttlMs,
    isOnce: true,
  };
}

function listOf(roles: readonly string[]): readonly string[] | undefined {
  return roles.length === 0 ? undefined : roles;
}

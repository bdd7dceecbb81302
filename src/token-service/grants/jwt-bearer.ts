import type { VerificationKey } from '../../jwk/types.js';
import type { Clock, JsonObject } from '../../ports.js';
import type { ReplayStore } from '../../stores/replay-store.js';
import type { Authenticator } from '../authenticator.js';
import { authenticateClient } from '../endpoint/client-authentication.js';
import type { TokenGrant } from '../issued-tokens.js';
import { OAuthError } from '../oauth-error.js';
import { narrowScopes } from '../scopes.js';
import {
  assertAssertionClaims,
  assertJti,
  assertSigned,
  invalidAssertion,
  parseAssertion,
  spendAssertion,
  type Assertion,
} from './assertion.js';
import type { Grant } from './grant.js';
import type { TrustRules, Trusted } from './trusted-issuers.js';

/** The keys and session parameters of clients, by the name in a claim. */
export interface ClientKeys {
  find(
    value: string,
  ): { readonly keys: readonly VerificationKey[]; readonly session: JsonObject } | undefined;
}

/** What the grant is made of. */
export interface JwtBearerOptions {
  /** `tokens.clients`; undefined: clients have no keys of their own here. */
  readonly clients: { readonly claim: string; readonly keys: ClientKeys } | undefined;
  /** `tokens.trust`. */
  readonly trust: TrustRules;
  /** `tokens.issuer` and the URLs of the endpoint. */
  readonly audiences: readonly string[];
  readonly authenticator: Authenticator;
  readonly replay: ReplayStore;
  readonly clock: Clock;
  /** Is this name a tokenId? Such a client could not be told from the token. */
  readonly isTokenId: (name: string) => Promise<boolean>;
}

/** RFC 7523 leaves typ open; anything that is plainly another kind of token is refused. */
const TYPES = new Set<string | undefined>([undefined, 'jwt', 'application/jwt', 'authorization-grant+jwt']);
const MAX_LIFETIME_MS = 3_600_000;

/**
 * The JWT bearer grant: an assertion that is signed by a client's own key, or by a trusted issuer of workload or identity
 * assertions, becomes an access token of that client.
 *
 * @see RFC 7523 sections 2.1 and 3
 */
export function createJwtBearerGrant(options: JwtBearerOptions): Grant {
  return async ({ c, parameters, credential, proof }) => {
    // Authentication is optional here, and judged where it is there (RFC 7521 4.1).
    if (credential !== undefined) await authenticateClient(c, credential, options.authenticator);
    const text = parameters.get('assertion');
    if (text === undefined) throw new OAuthError('invalid_request', 'assertion is missing');
    const assertion = parseAssertion(text);
    const trusted = verifyAsClient(assertion, options) ?? (await options.trust.verify(assertion));
    if (trusted === undefined) throw invalidAssertion('nobody who is trusted here signs such assertions');
    if (await options.isTokenId(trusted.client)) throw invalidAssertion('the client has the name of a token');
    const scopes = narrowScopes(parameters.get('scope'), trusted.scopes);
    return {
      grant: { ...grantOf(trusted), scopes, jkt: proof?.jkt },
      ...(trusted.isOnce ? { commit: () => spend(assertion, trusted.signer, options) } : {}),
    };
  };
}

function spend({ claims }: Assertion, signer: string, { replay, clock }: JwtBearerOptions): Promise<void> {
  return spendAssertion(claims, { signer, replay, nowMs: clock.now() });
}

function grantOf({ client, roles, session, ttlMs }: Trusted): TokenGrant {
  return { subject: client, clientId: client, scopes: [], ttlMs, claims: { roles, session } };
}

/** @returns undefined where no client has that name */
function verifyAsClient(assertion: Assertion, options: JwtBearerOptions): Trusted | undefined {
  const { clients, audiences, clock } = options;
  const name = clients === undefined ? undefined : assertion.claims[clients.claim];
  const client = typeof name === 'string' ? clients?.keys.find(name) : undefined;
  if (client === undefined || typeof name !== 'string') return undefined;
  if (!TYPES.has(assertion.header.typ)) throw invalidAssertion('the typ of the assertion is not accepted');
  assertSigned(assertion, client.keys);
  assertAssertionClaims(assertion.claims, { audiences, maxLifetimeMs: MAX_LIFETIME_MS, nowMs: clock.now() });
  // The token is the client's own. An assertion about somebody else must not become one.
  if (assertion.claims.sub !== name) throw invalidAssertion('sub must be the client');
  assertJti(assertion.claims);
  const { scopes, ...session } = client.session;
  return {
    client: name,
    signer: JSON.stringify(['client', name]),
    scopes: readScopes(scopes),
    roles: undefined,
    session: Object.keys(session).length === 0 ? undefined : session,
    ttlMs: undefined,
    isOnce: true,
  };
}

/** `scopes` of a client's file: a list, or one text with blanks. Anything else grants nothing. */
function readScopes(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((scope) => scope !== '');
  return Array.isArray(value) ? value.filter((scope): scope is string => typeof scope === 'string') : [];
}

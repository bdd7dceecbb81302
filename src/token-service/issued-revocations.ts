import { assertClaims } from '../authz/token/claims.js';
import { hashToken } from '../authz/token/token-hash.js';
import type { ClaimRules } from '../authz/token/types.js';
import type { VerifiedToken } from '../authz/types.js';
import type { Clock, JsonObject } from '../ports.js';
import { createRevocationId, type Revocation, type RevocationTarget } from '../revocation/revocation.js';
import type { RevocationService } from '../revocation/revocation-service.js';
import type { IssuedRevocations } from './own-tokens.js';
import type { TokenStore } from './store.js';

/** What the revocations of issued tokens are made with. */
export interface IssuedRevocationsOptions {
  readonly service: RevocationService;
  /** `tokens.issuer` */
  readonly issuer: string;
  readonly clock: Clock;
  /** Text that is unique, from a cryptographic source. */
  readonly random: () => string;
  /** Waits, milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** Nothing that we issue lives longer, whatever `tokens.ttl` was when it was issued, seconds. */
const LONGEST_LIFE_S = 86_400;

/** Connects what we issue with the revocations that Checks heed. */
export function createIssuedRevocations(options: IssuedRevocationsOptions): IssuedRevocations {
  const { service, issuer, clock, random, sleep } = options;
  const add = async (
    target: Pick<Revocation, 'kind' | 'value'>,
    more: Partial<Revocation>,
  ): Promise<void> => {
    const createdAtMs = clock.now();
    const endsAtS = Math.floor(createdAtMs / 1000) + LONGEST_LIFE_S;
    await service.revoke({
      id: createRevocationId(createdAtMs, random()),
      issuer,
      ...target,
      expiresAtS: endsAtS,
      heldUntilS: endsAtS,
      createdAtMs,
      source: 'revoke',
      ...more,
    });
  };
  return {
    isRevoked: (claims, text) =>
      service.list.index.isRevoked(toVerified(claims, { issuer, text }), text, clock.now()),
    revokeClient: (clientId, nowS) => add({ kind: 'client', value: clientId }, { beforeS: nowS }),
    revokeToken: ({ jti, expiresAtS }) =>
      add({ kind: 'jti', value: jti }, { expiresAtS, heldUntilS: expiresAtS }),
    async untilIssuable(clientId) {
      const target: RevocationTarget = { kind: 'client', issuer, value: clientId };
      const beforeS = service.list.index.find(target)?.beforeS;
      const waitMs = beforeS === undefined ? 0 : (beforeS + 1) * 1000 - clock.now();
      if (waitMs > 0 && waitMs <= 1000) await sleep(waitMs);
    },
  };
}

const PAGE = 1000;

/**
 * Makes the revocations again that a store of revocations in memory has lost, from the records of revoked tokens.
 *
 * @param nowS seconds since the epoch
 * @throws StoreUnavailableError
 */
export async function recallRevocations(
  store: TokenStore,
  revocations: Pick<IssuedRevocations, 'revokeClient'>,
  nowS: number,
): Promise<void> {
  let afterTokenId: string | undefined;
  for (;;) {
    const page = await store.list({
      limit: PAGE,
      includeRevoked: true,
      includeExpired: true,
      ...(afterTokenId === undefined ? {} : { afterTokenId }),
    });
    for (const { tokenId, revokedAt } of page) {
      if (revokedAt !== undefined && revokedAt > nowS - LONGEST_LIFE_S)
        await revocations.revokeClient(tokenId, revokedAt);
    }
    afterTokenId = page.at(-1)?.tokenId;
    if (page.length < PAGE || afterTokenId === undefined) return;
  }
}

/** A token of our own in the words of the decision. Its audience and times were judged before. */
export function toVerified(
  claims: JsonObject,
  { issuer, text }: { readonly issuer: string; readonly text: string },
): VerifiedToken {
  return { issuer, hash: hashToken(text), claims, ...assertClaims(claims, ANY) };
}

const ANY: ClaimRules = {
  audiences: { has: () => true } as unknown as ReadonlySet<string>,
  profile: 'compatible',
  clockToleranceMs: 0,
  maxLifetimeMs: Infinity,
};

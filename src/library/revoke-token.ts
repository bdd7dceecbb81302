import type { Config } from '../config/config.js';
import { systemClock } from '../ports.js';
import { createRevokeAtIssuer } from '../revocation/revoke-at-issuer.js';
import type { KeyRegistry } from '../runtime/key-registry.js';
import { revokingIssuersOf } from '../server/revocation-service.js';
import type { GateServices } from './gate-services.js';
import type { RevocationResult } from './gate-types.js';

/** Where and why a token is revoked. */
export interface RevokeTokenOptions {
  readonly config: Config;
  /** undefined: nothing is revoked here. */
  readonly services: GateServices | undefined;
  readonly keys: KeyRegistry;
  readonly hint?: 'access_token' | 'refresh_token';
  readonly reason?: string;
}

/**
 * Revokes a token here first: whatever the issuer says, the gate refuses it from then on.
 *
 * @throws Error where neither is possible, or the store does not answer
 */
export async function revokeToken(
  token: string,
  { config, services, keys, hint, reason }: RevokeTokenOptions,
): Promise<RevocationResult> {
  if (services !== undefined) {
    const { service, factory } = services.revocation;
    await service.revoke(factory.ofToken(token, { source: 'revoke', reason }));
  }
  const atIssuer = createRevokeAtIssuer({
    issuers: () => revokingIssuersOf(config, { keysOf: (issuer) => keys.keysOf(issuer), clock: systemClock }),
    own: () => config.tokens && { issuer: config.tokens.issuer, prefix: config.tokens.service?.prefix },
  });
  try {
    await atIssuer(token, hint);
    return { here: services !== undefined, atIssuer: true };
  } catch (error) {
    if (services === undefined) throw error;
    return { here: true, atIssuer: false };
  }
}

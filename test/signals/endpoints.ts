/** The endpoints for signed messages with a clock that stands still and a record of what they revoke. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { ASYMMETRIC_ALGORITHMS } from '../../src/jwk/types.js';
import { silentLogger } from '../../src/ports.js';
import type { Revocation } from '../../src/revocation/revocation.js';
import { createRevocationFactory } from '../../src/revocation/revocation-factory.js';
import type { MessageEndpointOptions } from '../../src/signals/message-port.js';
import { ISSUER, mintToken, NOW_MS, NOW_S, TestIssuerKeys, type MintOptions } from '../support/tokens.js';

/** `aud` of the messages. */
export const GATE = 'gate';

export interface TestEndpoint {
  readonly keys: TestIssuerKeys;
  readonly revoked: Revocation[];
  /** Rejects what is revoked from now on; undefined: takes it. */
  failure: Error | undefined;
  readonly clock: { nowMs: number };
  readonly app: OpenAPIHono;
}

export function testEndpoint(create: (options: MessageEndpointOptions) => OpenAPIHono): TestEndpoint {
  const keys = new TestIssuerKeys();
  const revoked: Revocation[] = [];
  const clock = { nowMs: NOW_MS };
  const now = { now: () => clock.nowMs };
  const endpoint: { failure: Error | undefined } = { failure: undefined };
  const app = create({
    issuers: () =>
      new Map([
        [
          ISSUER,
          {
            issuer: ISSUER,
            audience: GATE,
            algorithms: new Set(ASYMMETRIC_ALGORITHMS),
            clockToleranceMs: 30_000,
            keys,
          },
        ],
      ]),
    factory: createRevocationFactory({
      issuers: () => new Map([[ISSUER, { maxLifetimeMs: 3_600_000, clockToleranceMs: 30_000 }]]),
      clock: now,
      random: () => 'r',
    }),
    revoke: (one) => {
      if (endpoint.failure !== undefined) return Promise.reject(endpoint.failure);
      revoked.push(one);
      return Promise.resolve();
    },
    clock: now,
    logger: silentLogger,
  });
  return Object.assign(endpoint, { keys, revoked, clock, app });
}

/** A message of ISSUER for GATE, with nothing of an access token in it. */
export function mintMessage(
  claims: Record<string, unknown>,
  { header, ...options }: MintOptions = {},
): string {
  return mintToken({
    ...options,
    header: { ...header },
    rawPayload: options.rawPayload ?? { iss: ISSUER, aud: GATE, iat: NOW_S, jti: 'message-1', ...claims },
  });
}

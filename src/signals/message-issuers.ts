import type { Config, IssuerConfig } from '../config/config.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { MessageIssuer } from './signed-message.js';

/** What is asked of a configuration. */
export interface MessageIssuerParts {
  /** @returns what `aud` must hold; undefined: this issuer sends nothing */
  readonly audienceOf: (issuer: IssuerConfig) => string | undefined;
  readonly keysOf: (issuer: IssuerConfig) => IssuerKeys;
}

/** The issuers of a configuration that may send messages of a kind, by issuer identifier. */
export function messageIssuersOf(
  { issuers }: Config,
  { audienceOf, keysOf }: MessageIssuerParts,
): ReadonlyMap<string, MessageIssuer> {
  return new Map(
    issuers.flatMap((issuer) => {
      const audience = audienceOf(issuer);
      if (audience === undefined) return [];
      const described: MessageIssuer = {
        issuer: issuer.issuer,
        audience,
        algorithms: new Set(issuer.algorithms),
        clockToleranceMs: issuer.clockTolerance,
        keys: keysOf(issuer),
      };
      return [[issuer.issuer, described] as const];
    }),
  );
}

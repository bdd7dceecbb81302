/** Introspection as a process does it: over the network, or through the primary. */
import { createHash } from 'node:crypto';
import type { Config, IssuerConfig } from './config/config.js';
import {
  createIntrospectionRegistry,
  type IntrospectionConfig,
  type IntrospectionDependencies,
} from './introspection/registry.js';
import {
  type IntrospectionAnswer,
  IntrospectionUnavailableError,
  type Introspector,
} from './introspection/types.js';
import type { IssuerKeys } from './jwks/types.js';

/** A question to whoever asks issuers. Plain data, so that it can go to another process. */
export interface IntrospectionQuestion {
  readonly issuer: string;
  /** A secret. */
  readonly token: string;
  readonly hash: string;
}

/** Asks issuers for another process. @throws IntrospectionUnavailableError */
export type AskIntrospection = (question: IntrospectionQuestion) => Promise<IntrospectionAnswer>;

/** The introspectors of a process. They outlive configurations. */
export interface Introspections {
  /**
   * @param keys of the issuer, for signed answers
   * @returns undefined where the issuer is not asked about tokens
   */
  forIssuer(config: Config, issuer: IssuerConfig, keys: IssuerKeys): Introspector | undefined;
  /** Says which are of the configuration in force, and so answer `ask`. */
  use(inForce: readonly Introspector[]): void;
  /** Closes those that are not in force. */
  retire(): void;
  readonly ask: AskIntrospection;
  close(): Promise<void>;
}

/** Creates those that ask over the network. */
export function createIntrospections(deps: IntrospectionDependencies): Introspections {
  const registry = createIntrospectionRegistry(deps);
  let inForce: readonly Introspector[] = [];
  return {
    forIssuer(config, issuer, keys) {
      const settings = introspectionConfigOf(config, issuer, keys);
      return settings === undefined ? undefined : registry.forIssuer(settings);
    },
    use(introspectors) {
      inForce = introspectors;
    },
    retire: () => registry.retain(inForce),
    async ask({ issuer, token, hash }) {
      const introspector = inForce.find((one) => one.issuer === issuer);
      if (introspector === undefined) throw new IntrospectionUnavailableError(issuer, 'not_configured');
      return introspector.introspect(token, hash);
    },
    close: () => registry.close(),
  };
}

/** Creates those that ask the primary. */
export function createForwardedIntrospections(ask: AskIntrospection): Introspections {
  return {
    forIssuer: (_config, { issuer, introspection }) =>
      introspection && { issuer, introspect: (token, hash) => ask({ issuer, token, hash }) },
    use: () => undefined,
    retire: () => undefined,
    ask,
    close: () => Promise.resolve(),
  };
}

/** @returns undefined where the issuer is not asked about tokens */
export function introspectionConfigOf(
  config: Config,
  issuer: IssuerConfig,
  keys: IssuerKeys,
): IntrospectionConfig | undefined {
  const { introspection: settings, algorithms, clockTolerance: clockToleranceMs, discovery } = issuer;
  if (settings === undefined) return undefined;
  return {
    issuer: issuer.issuer,
    metadataUrl: typeof discovery === 'string' ? discovery : undefined,
    allowHttp: config.jwks.allowHttp,
    section: sectionOf(config, issuer),
    settings,
    algorithms: new Set(algorithms),
    clockToleranceMs,
    keys,
  };
}

/** A digest of everything that an answer of this issuer rests on; the same on every replica. */
export function sectionOf({ jwks: { allowHttp } }: Config, issuer: IssuerConfig): string {
  return createHash('sha256')
    .update(JSON.stringify([allowHttp, issuer]))
    .digest('base64url');
}

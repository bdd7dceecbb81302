import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import { everyInterval } from '../guard/overload.js';
import { createClient } from '../introspection/registry.js';
import { introspectionConfigOf } from '../introspections.js';
import { createRevokeAtIssuer, type RevokingIssuer } from '../revocation/revoke-at-issuer.js';
import { createRevocationRoutes } from '../revocation/admin-routes.js';
import {
  createRevocationFactory,
  type IssuerTerms,
  type RevocationFactory,
} from '../revocation/revocation-factory.js';
import { RevocationService } from '../revocation/revocation-service.js';
import { shareRevocations } from '../revocation/shared-revocations.js';
import { createMemoryRevocationStore } from '../revocation/memory-store.js';
import type { RevocationStore } from '../revocation/revocation-store.js';
import type { MountedService, ServiceContext } from './mounted-service.js';

/** Revocation as other services use it: what logs out, and what ends a personal access token. */
export interface MountedRevocation extends MountedService {
  readonly service: RevocationService;
  readonly factory: RevocationFactory;
}

/** Its name among the services. */
export const REVOCATION = 'revocation';

const ID_BYTES = 12;

/** Opens the revocation store and its routes of the admin port. @throws Error when the store cannot be used */
export async function openRevocation(context: ServiceContext): Promise<MountedRevocation | undefined> {
  const { config: first, log, clock, metrics } = context;
  if (first.revocation === undefined) return undefined;
  let current = first;
  let maxEntries = first.revocation.maxEntries;
  let issuers = termsOf(first);
  const service = new RevocationService({
    store: await openStore(context),
    clock,
    every: everyInterval,
    logger: log,
    maxEntries: () => maxEntries,
    metrics,
  });
  await service.open();
  metrics.observeRevocations(() => ({ size: service.size, available: service.isAvailable() }));
  const factory = createRevocationFactory({
    issuers: () => issuers,
    clock,
    random: () => randomBytes(ID_BYTES).toString('base64url'),
  });
  return {
    name: REVOCATION,
    service,
    factory,
    adminRouter: createRevocationRoutes({
      service,
      factory,
      logger: log,
      revokeAtIssuer: createRevokeAtIssuer({
        issuers: () => revokingIssuersOf(current, context),
        own: () =>
          current.tokens && { issuer: current.tokens.issuer, prefix: current.tokens.service?.prefix },
      }),
    }),
    state: shareRevocations(service),
    apply: (config) => {
      current = config;
      maxEntries = config.revocation?.maxEntries ?? maxEntries;
      issuers = termsOf(config);
    },
    close: () => service.close(),
  };
}

/** Where introspection makes us a client. */
export function revokingIssuersOf(
  config: Config,
  { keysOf, clock }: Pick<ServiceContext, 'keysOf' | 'clock'>,
): readonly RevokingIssuer[] {
  return config.issuers.flatMap((issuer) => {
    if (issuer.introspection === undefined) return [];
    const settings = introspectionConfigOf(config, issuer, keysOf(issuer));
    if (settings === undefined) return [];
    const open = (): ReturnType<RevokingIssuer['open']> => {
      const { http, client } = createClient(settings, clock);
      return { client, close: () => http.close() };
    };
    return [{ issuer: issuer.issuer, tokenPrefix: issuer.introspection.tokenPrefix, open }];
  });
}

/** Loads what the store needs, and no other store. */
async function openStore({ config, clock, redis }: ServiceContext): Promise<RevocationStore> {
  switch (config.revocation?.store) {
    case 'sqlite': {
      const { createSqliteRevocationStore } = await import('../revocation/sqlite-store.js');
      return createSqliteRevocationStore(config.revocation.path);
    }
    case 'redis': {
      const { createRedisRevocationStore } = await import('../revocation/redis-store.js');
      return createRedisRevocationStore({ connection: await redis(), clock, every: everyInterval });
    }
    default:
      return createMemoryRevocationStore();
  }
}

/** A token of ours is held to no clock tolerance; nothing that we issue lives longer than this. */
const OWN_TERMS: IssuerTerms = { maxLifetimeMs: 86_400_000, clockToleranceMs: 0 };

function termsOf({ issuers, tokens }: Config): ReadonlyMap<string, IssuerTerms> {
  const terms = new Map<string, IssuerTerms>();
  if (tokens !== undefined) terms.set(tokens.issuer, OWN_TERMS);
  for (const { issuer, maxLifetime, clockTolerance } of issuers)
    terms.set(issuer, { maxLifetimeMs: maxLifetime, clockToleranceMs: clockTolerance });
  return terms;
}

import type { Config, IssuerConfig } from '../config/config.js';
import { createEventsRouter } from '../signals/events-router.js';
import { createLogoutRouter } from '../signals/logout-router.js';
import type { MessageEndpointOptions } from '../signals/message-port.js';
import { messageIssuersOf } from '../signals/message-issuers.js';
import type { MountedService, ServiceContext } from './mounted-service.js';
import { type MountedRevocation, REVOCATION } from './revocation-service.js';

/** Opens the endpoint of back-channel logout. It answers 404 as long as no issuer has `logout`. */
export function openLogout(context: ServiceContext): Promise<MountedService | undefined> {
  return openSignals(context, {
    name: 'logout',
    audienceOf: ({ logout }) => logout?.clientId,
    createRouter: createLogoutRouter,
  });
}

/** Opens the endpoint of security events. It answers 404 as long as no issuer has `events`. */
export function openEvents(context: ServiceContext): Promise<MountedService | undefined> {
  return openSignals(context, {
    name: 'events',
    audienceOf: ({ events }) => events?.audience,
    createRouter: (options) =>
      createEventsRouter({
        ...options,
        counted: (issuer, event) => context.metrics.securityEvent(issuer, event),
      }),
  });
}

interface SignalKind {
  readonly name: string;
  /** @returns what `aud` must hold; undefined: this issuer sends nothing */
  readonly audienceOf: (issuer: IssuerConfig) => string | undefined;
  readonly createRouter: (options: MessageEndpointOptions) => NonNullable<MountedService['router']>;
}

function openSignals(
  { config, log, clock, keysOf, services }: ServiceContext,
  { name, audienceOf, createRouter }: SignalKind,
): Promise<MountedService | undefined> {
  const revocation = services.get(REVOCATION) as MountedRevocation | undefined;
  if (revocation === undefined) return Promise.resolve(undefined);
  const issuersOf = (of: Config): ReturnType<typeof messageIssuersOf> =>
    messageIssuersOf(of, { audienceOf, keysOf });
  let issuers = issuersOf(config);
  return Promise.resolve({
    name,
    router: createRouter({
      issuers: () => issuers,
      factory: revocation.factory,
      revoke: (one) => revocation.service.revoke(one),
      clock,
      logger: log,
    }),
    apply: (next) => {
      issuers = issuersOf(next);
    },
    close: () => Promise.resolve(),
  });
}

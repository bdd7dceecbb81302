/** The services of a gate that have stores: revocations, and our own tokens. Without ports. */
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { Config } from '../config/config.js';
import { systemClock, type Logger } from '../ports.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import { connectState } from '../runtime/shared-state.js';
import { localInsights } from '../server/insights.js';
import { openRevocation, REVOCATION, type MountedRevocation } from '../server/revocation-service.js';
import { openServices } from '../server/services.js';
import { openTokens, personalTokensOf } from '../server/token-service.js';

/** Open services. */
export interface GateServices {
  readonly revocation: MountedRevocation;
  readonly askPersonalToken: AskPersonalToken;
  close(): Promise<void>;
}

/** Opens them. @throws Error when a store cannot be used; none stays open then */
export async function openGateServices(config: Config, runtime: Runtime, log: Logger): Promise<GateServices> {
  const { metrics, keys, redis, fetcher, replay, introspect } = runtime;
  const services = await openServices(
    {
      config,
      log,
      clock: systemClock,
      registry: metrics.registry,
      metrics,
      keysOf: (issuer) => keys.keysOf(issuer),
      insights: localInsights(runtime),
      ...{ fetcher, replay, introspect },
      redis: () => redis.open(),
    },
    [openRevocation, openTokens],
  );
  const ends = services.all.flatMap(({ state }) =>
    state === undefined ? [] : [connectState(state, (message) => runtime.state.receive(message))],
  );
  return {
    revocation: services.byName.get(REVOCATION) as MountedRevocation,
    askPersonalToken: personalTokensOf(services.byName),
    close: async () => {
      for (const end of ends) end();
      await services.close();
    },
  };
}

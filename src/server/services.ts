import type { Config } from '../config/config.js';
import { openAdminPage } from './admin-page-service.js';
import { openRevocation } from './revocation-service.js';
import { openEvents, openLogout } from './signal-services.js';
import { openTokens } from './token-service.js';
import type { MountedService, OpenService, ServiceContext } from './mounted-service.js';

/** Every service that there is, in the order in which they open. A service may use those before it. */
const SERVICES: readonly OpenService[] = [openRevocation, openLogout, openEvents, openTokens, openAdminPage];

/** The services of a process. */
export interface OpenServices {
  readonly all: readonly MountedService[];
  readonly byName: ReadonlyMap<string, MountedService>;
  apply(config: Config): Promise<void>;
  /** In reverse order. */
  close(): Promise<void>;
}

/**
 * Opens the services that are configured.
 *
 * @throws Error when one cannot start; none stays open then
 */
export async function openServices(
  context: Omit<ServiceContext, 'services'>,
  openers: readonly OpenService[] = SERVICES,
): Promise<OpenServices> {
  const services = new Map<string, MountedService>();
  const close = async (): Promise<void> => {
    for (const service of [...services.values()].reverse()) await service.close();
  };
  try {
    for (const open of openers) {
      const service = await open({ ...context, services });
      if (service !== undefined) services.set(service.name, service);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    all: [...services.values()],
    byName: services,
    apply: async (config) => {
      for (const service of services.values()) await service.apply?.(config);
    },
    close,
  };
}

/** The HTTP ports, which one process owns: the only one, or the primary of the workers. */
import type { Config } from '../config/config.js';
import { startAdmin, type AdminBackend } from './admin.js';
import type { HttpPort } from './http-port.js';
import type { MountedService } from './mounted-service.js';
import type { ConfigStatus } from './reload-status.js';
import type { PublicDocuments } from '../runtime/documents.js';
import { startPublic } from './public.js';

/** What stands behind the ports. */
export interface OwnedPortsOptions {
  readonly backend: AdminBackend;
  readonly documents: PublicDocuments;
  readonly services: readonly MountedService[];
  readonly configStatus: () => ConfigStatus;
}

/** The open ports. */
export interface OwnedPorts {
  /** Takes over what a reload may change: TLS material, host names, CORS, trusted proxies. @throws Error where it cannot */
  apply(config: Config): void;
  close(): Promise<void>;
}

/** Opens the admin port, and the public one where it is configured. @throws Error when one cannot be bound; none stays open */
export async function openOwnedPorts(
  first: Config,
  { backend, documents, services, configStatus }: OwnedPortsOptions,
): Promise<OwnedPorts> {
  let config = first;
  const hosts = (): readonly string[] => config.server.adminHosts;
  const admin = await startAdmin(backend, {
    address: first.server.admin,
    hosts,
    services,
    config: configStatus,
  });
  let publicPort: HttpPort | undefined;
  try {
    if (first.server.public !== undefined)
      publicPort = await startPublic({ documents, services, config: () => config }, first.server.public);
  } catch (error) {
    await admin.close();
    throw error;
  }
  return {
    apply: (next) => {
      publicPort?.replaceTls(next.server.publicTls);
      config = next;
    },
    close: async () => {
      await Promise.all([admin.close(), publicPort?.close()]);
    },
  };
}

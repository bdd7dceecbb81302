/** A gate as a library: one configuration, decided on in this process. Opens no port and touches nothing process-wide. */
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { Config } from '../config/config.js';
import type { ConfigInput } from '../config/config-input.js';
import { parseConfigObject } from '../config/load.js';
import { formatProblem } from '../config/problems.js';
import { silentLogger, type Logger } from '../ports.js';
import { createRuntime } from '../runtime/runtime.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import type { Gate, GateOptions } from './gate-types.js';
import { LibraryGate } from './library-gate.js';
import type { GateServices } from './gate-services.js';

/**
 * Creates a gate.
 *
 * `server` of the configuration is read for its limits and policies by authority; its ports stay closed. References such as
 * `${env:NAME}` are filled in as in the file, so a value that somebody else wrote must not get into the object.
 *
 * @param config the configuration file as an object, with the same keys, checks and messages
 * @throws ConfigError with everything that is wrong, never with a value
 * @example
 * const gate = await createGate({
 *   issuers: [{ issuer: 'https://login.example.com', audiences: ['https://api.example.com'] }],
 * });
 */
export async function createGate(config: ConfigInput, options: GateOptions = {}): Promise<Gate> {
  const { logger: log = silentLogger, env, folder } = options;
  const loaded = parseConfigObject(config, {
    ...(env === undefined ? {} : { env }),
    ...(folder === undefined ? {} : { folder }),
  });
  // The service needs the runtime, and the runtime the service: it is there before the first request.
  let askPersonalToken: AskPersonalToken = () => Promise.resolve({ retryAfterS: 1 });
  const runtime = await createRuntime(loaded.config, {
    log,
    measuresProcess: false,
    askPersonalToken: (token) => askPersonalToken(token),
  });
  try {
    const services = await openServices(loaded.config, runtime, log);
    if (services !== undefined) askPersonalToken = services.askPersonalToken;
    return new LibraryGate({
      config: loaded.config,
      warnings: loaded.warnings.map(formatProblem),
      runtime,
      services,
    });
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** Loads the stores only where they are configured. */
async function openServices(
  config: Config,
  runtime: Runtime,
  log: Logger,
): Promise<GateServices | undefined> {
  if (config.revocation === undefined) return undefined;
  const { openGateServices } = await import('./gate-services.js');
  return openGateServices(config, runtime, log);
}

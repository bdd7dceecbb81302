import { Worker } from 'node:worker_threads';
import type { Config, PolicyConfig } from './config.js';
import { deepFreeze } from './freeze.js';
import type { LoadedConfig } from './load.js';
import { ConfigError, type Problem } from './problems.js';

/** What the other thread answers. */
export type BackgroundAnswer =
  | { readonly loaded: LoadedConfig }
  | { readonly problems: readonly Problem[]; readonly files: readonly string[] };

/** Beyond any file that MAX_FILE_BYTES lets in. */
const TIMEOUT_MS = 60_000;

/**
 * Loads a configuration file in a thread of its own, as a reload under load must: reading a large file takes far longer
 * than a Check may wait. The same as loadConfig() in everything else.
 *
 * @param file path of a YAML or JSON file
 * @returns the frozen configuration
 * @throws ConfigError with everything that is wrong; Error where the thread failed or did not end in time
 */
export async function loadConfigInBackground(file: string): Promise<LoadedConfig> {
  const answer = await ask(file);
  if ('problems' in answer) throw new ConfigError(answer.problems, answer.files);
  const { loaded } = answer;
  return { ...loaded, config: restore(loaded.config) };
}

function ask(file: string): Promise<BackgroundAnswer> {
  const worker = new Worker(new URL('./background-thread.js', import.meta.url), {
    workerData: file,
    execArgv: [],
  });
  return new Promise<BackgroundAnswer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the configuration was not read in time')), TIMEOUT_MS);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the configuration was not read: its thread ended')));
    worker.once('exit', () => clearTimeout(timer));
  }).finally(() => void worker.terminate());
}

/** What a copy between threads loses: that it is frozen, and that mappings with free keys have no prototype. */
function restore(config: Config): Config {
  const { policies, server, identity } = config;
  const restored: Config = {
    ...config,
    policies: bare(
      Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, restorePolicy(policy)])),
    ),
    server: { ...server, authorities: bare(server.authorities) },
    identity: { ...identity, headers: bare(identity.headers) },
  };
  return deepFreeze(restored);
}

function restorePolicy(policy: PolicyConfig): PolicyConfig {
  return policy.claims === undefined ? policy : { ...policy, claims: bare(policy.claims) };
}

function bare<T extends object>(mapping: T): T {
  return Object.assign(Object.create(null) as T, mapping);
}

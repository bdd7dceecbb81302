import { Worker } from 'node:worker_threads';
import type { LoadedConfig } from './load.js';
import { ConfigError, type Problem } from './problems.js';
import { restoreConfig } from './restore.js';

/** What the other thread answers. */
export type LoadAnswer =
  | { readonly loaded: LoadedConfig }
  | ({ readonly problems: readonly Problem[] } & Pick<LoadedConfig, 'files' | 'digests'>);

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
export async function loadConfigInThread(file: string): Promise<LoadedConfig> {
  const answer = await ask(file);
  if ('problems' in answer) throw new ConfigError(answer.problems, answer.files, answer.digests);
  const { loaded } = answer;
  return { ...loaded, config: restoreConfig(loaded.config) };
}

function ask(file: string): Promise<LoadAnswer> {
  const worker = new Worker(new URL('./load-thread.js', import.meta.url), {
    workerData: file,
    execArgv: [],
  });
  return new Promise<LoadAnswer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the configuration was not read in time')), TIMEOUT_MS);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the configuration was not read: its thread ended')));
    worker.once('exit', () => clearTimeout(timer));
  }).finally(() => void worker.terminate());
}

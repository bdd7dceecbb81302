import type { Config } from '../config/config.js';
import { type CliIo, EXIT, type ExitCode } from './io.js';
import { loadOrReport } from './load.js';
import { reportWarnings } from './problems.js';

/** What came of asking one issuer. */
export interface IssuerCheck {
  /** Its position in `issuers`. */
  readonly index: number;
  readonly issuer: string;
  readonly ok: boolean;
  /** How many keys, or why there are none. */
  readonly text: string;
}

/** What came of asking something else than an issuer for its keys. */
export interface DependencyCheck {
  /** The part of the configuration, such as `redis`. */
  readonly path: string;
  readonly ok: boolean;
  /** What answered, or why nothing did. */
  readonly text: string;
}

/** Asks what else the configuration names: introspection endpoints, Redis, the token store. */
export type CheckDependencies = (config: Config) => Promise<readonly DependencyCheck[]>;

/** Asks every issuer for its metadata and key set. */
export type CheckIssuers = (config: Config) => Promise<readonly IssuerCheck[]>;

/** `portcullis validate`. Opens no port; asks issuers only with `--online`. */
export async function runValidate(
  options: { readonly config: string; readonly online?: boolean },
  deps: {
    readonly io: CliIo;
    readonly checkIssuers: CheckIssuers;
    readonly checkDependencies: CheckDependencies;
  },
): Promise<ExitCode> {
  const { io } = deps;
  const loaded = await loadOrReport(options.config, io);
  if (loaded === undefined) return EXIT.failed;
  reportWarnings(loaded, io);
  if (options.online === true) {
    const issuers = await reportIssuers(loaded.config, deps);
    const others = await reportDependencies(loaded.config, deps);
    if (!issuers || !others) return EXIT.failed;
  }
  io.out(`${options.config}: ok`);
  return EXIT.ok;
}

async function reportDependencies(
  config: Config,
  deps: { io: CliIo; checkDependencies: CheckDependencies },
): Promise<boolean> {
  const checks = await deps.checkDependencies(config);
  for (const { path, ok, text } of checks) {
    if (ok) deps.io.out(`${path}: ${text}`);
    else deps.io.err(`${path}: ${text}`);
  }
  return checks.every(({ ok }) => ok);
}

async function reportIssuers(
  config: Config,
  deps: { io: CliIo; checkIssuers: CheckIssuers },
): Promise<boolean> {
  const checks = await deps.checkIssuers(config);
  for (const { index, issuer, ok, text } of checks) {
    const line = `issuers[${index}]: ${issuer}: ${text}`;
    if (ok) deps.io.out(line);
    else deps.io.err(line);
  }
  return checks.every(({ ok }) => ok);
}

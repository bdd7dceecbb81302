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

/** Asks every issuer for its metadata and key set. */
export type CheckIssuers = (config: Config) => Promise<readonly IssuerCheck[]>;

/** `portcullis validate`. Opens no port; asks issuers only with `--online`. */
export async function runValidate(
  options: { readonly config: string; readonly online?: boolean },
  { io, checkIssuers }: { readonly io: CliIo; readonly checkIssuers: CheckIssuers },
): Promise<ExitCode> {
  const loaded = await loadOrReport(options.config, io);
  if (loaded === undefined) return EXIT.failed;
  reportWarnings(loaded, io);
  if (options.online === true && !(await reportIssuers(loaded.config, { io, checkIssuers })))
    return EXIT.failed;
  io.out(`${options.config}: ok`);
  return EXIT.ok;
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

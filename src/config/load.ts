import { dirname, resolve } from 'node:path';
import { buildConfig } from './build.js';
import type { CheckContext } from './checks/context.js';
import { checkCredentials } from './checks/credentials.js';
import { checkIdentity } from './checks/identity.js';
import { checkIssuers } from './checks/issuers.js';
import { checkPolicies } from './checks/policies.js';
import { checkProofs } from './checks/proofs.js';
import { checkRevocation } from './checks/revocation.js';
import { checkAudit } from './checks/audit.js';
import { checkServer } from './checks/server.js';
import { checkTokens } from './checks/tokens.js';
import { checkTracing } from './checks/tracing.js';
import type { Config } from './config.js';
import { ConfigFiles, readBoundedFile, type ReadFile } from './files.js';
import { withEnvironmentDefaults } from './environment-defaults.js';
import { interpolate } from './interpolate.js';
import { ConfigValue } from './config-value.js';
import { ConfigError, type Locate, type Problem, ProblemReport } from './problems.js';
import type { BoundValues } from './bound-values.js';
import { boundValuesOf } from './restart-keys.js';
import { checkSchema } from './check-schema.js';
import { readConfigObject } from './config-object.js';
import { warningsOf } from './warnings.js';
import { parseYaml } from './yaml.js';

/** What loading needs from outside. Default: the real one. */
export interface LoadOptions {
  /** For `${env:NAME}`. Values are secrets. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly readFile?: ReadFile;
}

/** A configuration with its warnings. */
export interface LoadedConfig {
  readonly config: Config;
  /** What works and is probably not what was meant. */
  readonly warnings: readonly Problem[];
  /** Every file that took part, as absolute paths, the configuration itself first: what a watcher watches. */
  readonly files: readonly string[];
  /** What was in them, by path; for a watcher that starts later. */
  readonly digests: Readonly<Record<string, string>>;
  /** What the keys that take effect at the next start are set to; for the check of a reload. */
  readonly bound: BoundValues;
}

const CHECKS: readonly ((ctx: CheckContext) => void)[] = [
  checkServer,
  checkAudit,
  checkTracing,
  checkIssuers,
  checkCredentials,
  checkProofs,
  checkRevocation,
  checkPolicies,
  checkIdentity,
  checkTokens,
];

/**
 * Loads a configuration file. Opens no port and fetches nothing; whether issuers can be reached is not checked.
 *
 * @param file path of a YAML or JSON file
 * @returns the frozen configuration
 * @throws ConfigError with everything that is wrong, never with a value of the file
 */
export function loadConfig(file: string, options: LoadOptions = {}): LoadedConfig {
  const files = new ConfigFiles(dirname(resolve(file)), options.readFile ?? readBoundedFile);
  const content = files.readText(resolve(file));
  if ('problem' in content)
    throw new ConfigError([{ path: file, text: content.problem }], files.names, files.digests);
  return parse(content.text, { file, files, env: options.env ?? process.env });
}

/**
 * Reads a configuration from text, as if it stood in a file of that name.
 *
 * @param text YAML or JSON
 * @throws ConfigError as loadConfig() does
 */
export function parseConfig(
  text: string,
  options: LoadOptions & { readonly file?: string } = {},
): LoadedConfig {
  const file = options.file ?? 'portcullis.yaml';
  const files = new ConfigFiles(dirname(resolve(file)), options.readFile ?? readBoundedFile);
  return parse(text, { file, files, env: options.env ?? process.env });
}

/**
 * Checks a configuration that is given as an object, with the keys, checks and messages of the file. References such as
 * `${env:NAME}` are filled in as in the file.
 *
 * @param options.folder what relative paths start from; default: the working directory
 * @throws ConfigError as loadConfig() does, without positions
 */
export function parseConfigObject(
  object: unknown,
  options: LoadOptions & { readonly folder?: string } = {},
): LoadedConfig {
  const files = new ConfigFiles(resolve(options.folder ?? '.'), options.readFile ?? readBoundedFile);
  const report = new ProblemReport();
  const written = readConfigObject(object, report);
  return complete({ written, locate: () => undefined, report }, { files, env: options.env ?? process.env });
}

interface Source {
  readonly file: string;
  readonly files: ConfigFiles;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function parse(text: string, { file, ...source }: Source): LoadedConfig {
  const report = new ProblemReport();
  const { tree: written, locate } = parseYaml(text, file, report);
  return complete({ written, locate, report }, source);
}

/** What was written, before references and defaults are filled in. */
interface Written {
  readonly written: unknown;
  readonly locate: Locate;
  readonly report: ProblemReport;
}

function complete({ written, locate, report }: Written, { files, env }: Omit<Source, 'file'>): LoadedConfig {
  const readText = (path: string) => files.readText(path);
  const { tree: filledIn, filled } = interpolate(written, { env, readText, report });
  const tree = withEnvironmentDefaults(filledIn, env);
  const parsed = checkSchema(tree, report);
  for (const check of CHECKS) check({ root: new ConfigValue(tree), report, files, filled });
  const problems = report.list(locate);
  if (problems.length > 0 || parsed === undefined)
    throw new ConfigError(problems, files.names, files.digests);
  const config = buildConfig(parsed, files);
  return {
    config,
    warnings: warningsOf(config, locate),
    files: files.names,
    digests: files.digests,
    bound: boundValuesOf(config),
  };
}

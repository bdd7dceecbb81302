import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/units.js';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../signing/key-set.js';
import type { ExplainOptions, ExplainRequest } from './explain.js';
import { PROVIDER_NAMES } from '../init/providers.js';
import type { InitOptions } from './init.js';
import type { TestOptions } from './test.js';
import { describeError, EXIT, type ExitCode } from './io.js';
import type { RevokeOptions } from './revoke.js';
import { addPatCommands } from './pat-commands.js';
import type { ServeDependencies } from './serve.js';
import type { CheckDependencies, CheckIssuers } from './validate.js';

/** What the commands need; loaded only when one does, so that `--help` is quick. */
export interface CliDependencies extends ServeDependencies {
  readonly version: string;
  /** `PORTCULLIS_TOKEN`: the token of an administrator; a secret. */
  readonly adminToken?: string | undefined;
  readonly checkIssuers: CheckIssuers;
  readonly checkDependencies: CheckDependencies;
  readonly explainRequest: ExplainRequest;
}

/**
 * Runs the command line.
 *
 * @param args without node and the script
 * @returns 0 done, 1 failed, 2 wrong usage; undefined: it serves until a signal
 */
export async function runCli(args: readonly string[], deps: CliDependencies): Promise<ExitCode | undefined> {
  let code: ExitCode | undefined = EXIT.ok;
  const program = createProgram(deps, (result) => (code = result));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    deps.io.err(`portcullis: ${describeError(error)}`);
    return EXIT.failed;
  }
}

type Finish = (code: ExitCode | undefined) => void;

function createProgram(deps: CliDependencies, finish: Finish): Command {
  const { io } = deps;
  const program = new Command('portcullis')
    .description('The OAuth gate for Envoy and Istio.')
    .version(deps.version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(trimEnd(text)), writeErr: (text) => io.err(trimEnd(text)) })
    .showHelpAfterError('(see portcullis --help)');
  addConfigCommands(program, deps, finish);
  addInitCommand(program, deps, finish);
  addOtherCommands(program, deps, finish);
  addRevokeCommand(program, deps, finish);
  addPatCommands(program, { io, token: deps.adminToken }, finish);
  return program;
}

function addConfigCommands(program: Command, deps: CliDependencies, finish: Finish): void {
  const withConfig = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .requiredOption('-c, --config <file>', 'configuration file, YAML or JSON');
  withConfig('serve', 'run the server').action(async (options: { config: string }) => {
    const { runServe } = await import('./serve.js');
    finish(await runServe(options, deps));
  });
  withConfig('validate', 'check a configuration and report every problem')
    .option('--online', 'also ask every issuer, introspection endpoint and store')
    .action(async (options: { config: string; online?: boolean }) => {
      const { runValidate } = await import('./validate.js');
      finish(await runValidate(options, deps));
    });
  withConfig('test', 'run tables of requests and compare the answers with what is expected; asks nobody')
    .argument('<cases...>', 'tables (docs/cli.md#test); - is standard input')
    .option('--junit <file>', 'write a JUnit report too')
    .action(async (files: string[], options: Omit<TestOptions, 'files'>) => {
      const { runTest } = await import('./test.js');
      finish(await runTest({ ...options, files }, deps.io));
    });
  withConfig('explain', 'run one request through the pipeline and print the outcome of each stage')
    .option(
      '-r, --request <file>',
      'request as JSON (docs/cli.md), or a line of the decision log; - is standard input',
    )
    .option('--method <method>', 'method of the request (default: GET)')
    .option('--url <url>', 'URL of the request, instead of --request')
    .option('--header <line>', "header of the request, 'name: value'; may be repeated", collect, [])
    .option('--token-file <file>', 'file with the token of the request; - is standard input')
    .option('--policy <name>', 'policy that Envoy chooses')
    .option('--fresh', 'fetch key sets again for this decision')
    .option('--expect <outcome>', 'allow, deny, a reason or an HTTP status; any other outcome exits with 1')
    .option('--json', 'print JSON')
    .action(async (options: ExplainOptions) => {
      const { runExplain } = await import('./explain.js');
      finish(await runExplain(options, deps));
    });
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

function addInitCommand(program: Command, { io }: CliDependencies, finish: Finish): void {
  program
    .command('init')
    .description('write a first configuration, a table of cases for it, and files for the proxy')
    .addOption(
      new Option('--provider <name>', 'who issues the tokens').choices(PROVIDER_NAMES).default('generic'),
    )
    .option('--issuer <url>', 'issuer identifier of the tokens')
    .option('--audience <aud>', 'audience of the tokens')
    .option('--envoy', 'files for Envoy (the default)')
    .option('--istio', 'files for Istio')
    .option('--dir <dir>', 'folder for the files', '.')
    .option('--force', 'overwrite files')
    .action(async (options: InitOptions) => {
      const { runInit } = await import('./init.js');
      finish(runInit(options, io));
    });
}

function addOtherCommands(program: Command, { io }: CliDependencies, finish: Finish): void {
  program
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .action(async () => {
      const { runSchema } = await import('./schema.js');
      finish(runSchema(io));
    });
  const keys = program.command('keys').description('signing keys');
  keys
    .command('generate')
    .description('print a new signing key set; what it prints is secret')
    .addOption(algorithm().default('EdDSA'))
    .option('--kid <id>', 'key id (default: the RFC 7638 thumbprint)', parseKid)
    .action(async (options: { alg: SigningAlgorithm; kid?: string }) => {
      const { runKeysGenerate } = await import('./keys.js');
      finish(await runKeysGenerate(options, io));
    });
  keys
    .command('rotate')
    .description('put a new active key into a key file; the old public key stays')
    .argument('[file]', 'key file, replaced as a whole')
    .option('--keys <file>', 'the same')
    .addOption(algorithm().default(undefined, 'that of the key in use'))
    .option('--kid <id>', 'key id (default: the RFC 7638 thumbprint)', parseKid)
    .option('--keep <duration>', 'how long retired public keys stay', parseKeep, DEFAULT_KEEP_MS)
    .action(async (argument: string | undefined, options: RotateFlags) => {
      const { runKeysRotate } = await import('./keys.js');
      const { alg, kid, keep: keepMs } = options;
      const file = argument ?? options.keys;
      if (file === undefined) return keys.error('error: the key file is missing');
      finish(await runKeysRotate({ file, alg, kid, keepMs }, io));
    });
}

function addRevokeCommand(program: Command, { io }: CliDependencies, finish: Finish): void {
  program
    .command('revoke')
    .description('refuse tokens from now on, through the admin port of a running server')
    .requiredOption('--admin <url>', 'the admin port, such as http://127.0.0.1:9192')
    .option('--token <->', 'one token, read from standard input')
    .option('--jti <id>', 'the token with this jti')
    .option('--sid <id>', 'the tokens of this session')
    .option('--sub <subject>', 'the tokens that this subject holds now')
    .option('--client <id>', 'the tokens that this client holds now')
    .option('--issuer <url>', 'whose tokens; required but for --token')
    .option('--reason <text>', 'why, for the list of revocations')
    .action(async (options: RevokeOptions) => {
      const { runRevoke } = await import('./revoke.js');
      finish(await runRevoke(options, io));
    });
}

interface RotateFlags {
  readonly keys?: string;
  readonly alg?: SigningAlgorithm;
  readonly kid?: string;
  readonly keep: number;
}

/** The longest life of a token, and an hour for clocks and caches. */
const DEFAULT_KEEP_MS = 25 * 3_600_000;

function algorithm(): Option {
  return new Option('--alg <algorithm>', 'signature algorithm').choices(SIGNING_ALGORITHMS);
}

function parseKeep(text: string): number {
  const keepMs = parseDuration(text);
  if (keepMs === undefined) throw new InvalidArgumentError('It must be a duration such as 25h.');
  return keepMs;
}

function parseKid(kid: string): string {
  if (!/^[\x21-\x7e]{1,256}$/.test(kid))
    throw new InvalidArgumentError('It must be 1 to 256 visible ASCII characters.');
  return kid;
}

function trimEnd(text: string): string {
  return text.replace(/\n$/, '');
}

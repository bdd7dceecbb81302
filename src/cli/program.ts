import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { SigningAlgorithm } from '../config/signing-keys.js';
import type { ExplainRequest } from './explain.js';
import { describeError, EXIT, type ExitCode } from './io.js';
import type { ServeDependencies } from './serve.js';
import type { CheckIssuers } from './validate.js';

/** What the commands need; loaded only when one does, so that `--help` is quick. */
export interface CliDependencies extends ServeDependencies {
  readonly version: string;
  readonly checkIssuers: CheckIssuers;
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
    .showHelpAfterError('(portcullis --help tells more)');
  addConfigCommands(program, deps, finish);
  addOtherCommands(program, deps, finish);
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
  withConfig('validate', 'check a configuration and tell everything that is wrong with it')
    .option('--online', 'also fetch the metadata and keys of every issuer')
    .action(async (options: { config: string; online?: boolean }) => {
      const { runValidate } = await import('./validate.js');
      finish(await runValidate(options, deps));
    });
  withConfig('explain', 'run one recorded request through the pipeline and tell each stage')
    .requiredOption('-r, --request <file>', 'CheckRequest as JSON, or a line of the decision log')
    .option('--json', 'print JSON')
    .action(async (options: { config: string; request: string; json?: boolean }) => {
      const { runExplain } = await import('./explain.js');
      finish(await runExplain(options, deps));
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
    .addOption(
      new Option('--alg <algorithm>', 'signature algorithm')
        .choices(['EdDSA', 'ES256', 'RS256'])
        .default('EdDSA'),
    )
    .option('--kid <id>', 'key id (default: the RFC 7638 thumbprint)', parseKid)
    .action(async (options: { alg: SigningAlgorithm; kid?: string }) => {
      const { runKeysGenerate } = await import('./keys.js');
      finish(await runKeysGenerate(options, io));
    });
  program
    .command('pat')
    .description('personal access tokens (not supported yet)')
    .argument('[command...]')
    .allowUnknownOption()
    .action(() => {
      io.err('portcullis: pat is not supported yet');
      finish(EXIT.failed);
    });
}

function parseKid(kid: string): string {
  if (!/^[\x21-\x7e]{1,256}$/.test(kid))
    throw new InvalidArgumentError('It must be 1 to 256 visible ASCII characters.');
  return kid;
}

function trimEnd(text: string): string {
  return text.replace(/\n$/, '');
}

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseConfig } from '../config/load.js';
import { ConfigError, formatProblem } from '../config/problems.js';
import { firstCases, firstConfig } from '../init/first-config.js';
import { type Provider, PROVIDERS, type ProviderName } from '../init/providers.js';
import { type NewFile, proxyFiles } from '../init/proxy-files.js';
import { type CliIo, describeError, EXIT, type ExitCode } from './io.js';

/** The options of `init`. */
export interface InitOptions {
  readonly provider: ProviderName;
  readonly issuer?: string;
  readonly audience?: string;
  readonly envoy?: boolean;
  readonly istio?: boolean;
  readonly dir: string;
  readonly force?: boolean;
}

/** `portcullis init`: writes a first configuration, a table of cases, and the files for the proxy. Asks nobody. */
export function runInit(options: InitOptions, io: CliIo): ExitCode {
  const provider: Provider = PROVIDERS[options.provider];
  const issuer = options.issuer ?? provider.defaultIssuer;
  const misuse = misuseOf(options, { provider, issuer });
  if (misuse !== undefined || issuer === undefined || options.audience === undefined) {
    io.err(`portcullis: ${misuse ?? ''}`);
    return EXIT.usage;
  }
  const front = options.istio === true ? 'istio' : 'envoy';
  const first = { provider, issuer, audience: options.audience, front } as const;
  const config = firstConfig(first);
  const problems = problemsOf(config);
  if (problems.length > 0) {
    for (const problem of problems) io.err(problem);
    return EXIT.usage;
  }
  const files: NewFile[] = [
    { path: 'portcullis.yaml', content: config },
    { path: 'cases.yaml', content: firstCases(first) },
    ...proxyFiles(front),
  ];
  return writeAll(files, options, io);
}

function misuseOf(
  { audience, envoy, istio }: InitOptions,
  { provider, issuer }: { provider: Provider; issuer: string | undefined },
): string | undefined {
  if (envoy === true && istio === true) return '--envoy and --istio exclude each other';
  if (issuer === undefined)
    return `--issuer is missing; for ${provider.title} it is like ${provider.issuerForm}`;
  if (audience === undefined || audience === '')
    return `--audience is missing; for ${provider.title} it is ${provider.audience}`;
  return undefined;
}

/** The loader says what is wrong with what was given, in the words of `validate`. */
function problemsOf(config: string): string[] {
  try {
    parseConfig(config, { env: {} });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The file is not written, so a place in it helps nobody.
    return error.problems.map((problem) => formatProblem({ ...problem, position: undefined }));
  }
}

/** All or none: nothing is written where one of them is there already. */
function writeAll(files: readonly NewFile[], { dir, force }: InitOptions, io: CliIo): ExitCode {
  const present = force === true ? [] : files.filter(({ path }) => existsSync(join(dir, path)));
  if (present.length > 0) {
    for (const { path } of present) io.err(`${join(dir, path)}: is there already; --force overwrites it`);
    return EXIT.failed;
  }
  try {
    for (const { path, content } of files) {
      const target = join(dir, path);
      mkdirSync(dirname(target), { recursive: true });
      // Without --force a file that appeared meanwhile is not overwritten either.
      writeFileSync(target, content, { flag: force === true ? 'w' : 'wx' });
      io.out(`wrote ${target}`);
    }
  } catch (error) {
    io.err(`portcullis: ${describeError(error)}`);
    return EXIT.failed;
  }
  for (const line of nextSteps(dir, files)) io.out(line);
  return EXIT.ok;
}

function nextSteps(dir: string, files: readonly NewFile[]): string[] {
  const config = join(dir, 'portcullis.yaml');
  const isEnvoy = files.some(({ path }) => path === 'envoy.yaml');
  return [
    '',
    'Next:',
    `  portcullis validate --config ${config} --online    asks the issuer for its keys`,
    `  portcullis test --config ${config} ${join(dir, 'cases.yaml')}`,
    `  portcullis serve --config ${config}`,
    isEnvoy
      ? `  envoy -c ${join(dir, 'envoy.yaml')}    clients on 127.0.0.1:10000, your service on 127.0.0.1:8080`
      : `  see docs/guides/istio.md for ${join(dir, 'istio')}`,
  ];
}

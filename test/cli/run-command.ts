import { type CliDependencies, runCli } from '../../src/cli/program.js';
import { loadConfig } from '../../src/config/load.js';
import type { ExitCode } from '../../src/cli/io.js';

/** What a command did. */
export interface Outcome {
  readonly code: ExitCode | undefined;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process; nothing behind it is real unless a test lends it. */
export async function runCommand(
  args: readonly string[],
  lent: Partial<CliDependencies> & { readonly stdin?: string } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const unexpected = (): never => {
    throw new Error('not lent to this test');
  };
  const code = await runCli(args, {
    io: {
      in: () => Promise.resolve(lent.stdin ?? ''),
      out: (text) => out.push(text),
      err: (text) => err.push(text),
    },
    version: '1.2.3',
    loadConfig: (file) => Promise.resolve(loadConfig(file)),
    loadServer: () => Promise.resolve(unexpected),
    checkIssuers: unexpected,
    checkDependencies: () => Promise.resolve([]),
    explainRequest: unexpected,
    ...lent,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

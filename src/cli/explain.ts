import type { Config } from '../config/config.js';
import { ConfigFiles, readBoundedFile } from '../config/files.js';
import { type CliIo, describeError, EXIT, type ExitCode } from './io.js';
import { loadOrReport } from './load.js';

/** What the pipeline tells of one request. Holds no credential. */
export interface ExplanationText {
  readonly stages: readonly { readonly stage: string; readonly outcome: string }[];
  readonly decision: string;
  readonly reason: string;
  readonly policy: string | undefined;
  readonly chosenBy: string | undefined;
  readonly response: object;
}

/** Runs a recorded request; rejects where it is none. */
export type ExplainRequest = (config: Config, recorded: unknown) => Promise<ExplanationText>;

/** `portcullis explain`: one recorded request through the pipeline. */
export async function runExplain(
  options: { readonly config: string; readonly request: string; readonly json?: boolean },
  { io, explainRequest }: { readonly io: CliIo; readonly explainRequest: ExplainRequest },
): Promise<ExitCode> {
  const loaded = await loadOrReport(options.config, io);
  const recorded = readRecorded(options.request, io);
  if (loaded === undefined || recorded === undefined) return EXIT.failed;
  try {
    const explanation = await explainRequest(loaded.config, recorded);
    io.out(options.json === true ? JSON.stringify(explanation, null, 2) : format(explanation));
    return EXIT.ok;
  } catch (error) {
    io.err(`${options.request}: ${describeError(error)}`);
    return EXIT.failed;
  }
}

/** The text is never quoted: it holds a credential. */
function readRecorded(file: string, io: CliIo): unknown {
  const content = new ConfigFiles(process.cwd(), readBoundedFile).readText(file);
  if ('problem' in content) {
    io.err(`${file}: ${content.problem}`);
    return undefined;
  }
  try {
    return JSON.parse(content.text) as unknown;
  } catch {
    io.err(`${file}: must be JSON`);
    return undefined;
  }
}

function format({ stages, decision, reason, policy, chosenBy, response }: ExplanationText): string {
  const width = Math.max(...stages.map(({ stage }) => stage.length), 'decision'.length);
  const row = (name: string, text: string): string => `${name.padEnd(width)}  ${text}`;
  const choice = policy === undefined ? 'none' : `${policy} (chosen by ${chosenBy ?? 'nothing'})`;
  return [
    ...stages.map(({ stage, outcome }) => row(stage, outcome)),
    '',
    row('policy', choice),
    row('decision', decision === 'allow' ? `allowed (${reason})` : `not allowed: ${decision} (${reason})`),
    row('response', JSON.stringify(response, null, 2)),
  ].join('\n');
}

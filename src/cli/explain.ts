import type { Config } from '../config/config.js';
import { type Conclusion, concludeExplanation, type ExplanationText } from '../explain/conclusion.js';
import { credentialHeader } from '../explain/credential-header.js';
import { isExpectation, meetsExpectation } from '../explain/expectation.js';
import { type LoggedDecision, readRequestForm, type ReadRequest } from '../explain/request-forms.js';
import { type CliIo, describeError, EXIT, type ExitCode } from './io.js';
import { loadOrReport } from './load.js';
import { readInput } from './read-input.js';

/** Runs a recorded request, a CheckRequest as proto3 JSON; rejects where it is none. */
export type ExplainRequest = (
  config: Config,
  recorded: unknown,
  options: { readonly fresh: boolean },
) => Promise<ExplanationText>;

/** The options of `explain`. */
export interface ExplainOptions {
  readonly config: string;
  /** A file, or `-`. */
  readonly request?: string;
  readonly method?: string;
  readonly url?: string;
  /** `name: value` each. */
  readonly header: readonly string[];
  /** A file with a token, or `-`. */
  readonly tokenFile?: string;
  readonly policy?: string;
  readonly fresh?: boolean;
  readonly expect?: string;
  readonly json?: boolean;
}

interface Deps {
  readonly io: CliIo;
  readonly explainRequest: ExplainRequest;
}

/** `portcullis explain`: one request through the pipeline. Exits with 1 where `--expect` is not met. */
export async function runExplain(options: ExplainOptions, deps: Deps): Promise<ExitCode> {
  const { io } = deps;
  const misuse = misuseOf(options);
  if (misuse !== undefined) {
    io.err(`portcullis: ${misuse}`);
    return EXIT.usage;
  }
  const loaded = await loadOrReport(options.config, io);
  if (loaded === undefined) return EXIT.failed;
  try {
    const request = await readRequest(options, loaded.config, io);
    if (request === undefined) return EXIT.failed;
    const fresh = options.fresh === true;
    const explained = await deps.explainRequest(loaded.config, request.checkRequest, { fresh });
    return report(concludeExplanation(explained, request.logged), options, io);
  } catch (error) {
    io.err(`${options.request ?? 'request'}: ${describeError(error)}`);
    return EXIT.failed;
  }
}

const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/;

/** @returns what is wrong with the options taken together */
function misuseOf({ request, method, url, tokenFile, expect, header }: ExplainOptions): string | undefined {
  if (request === undefined && url === undefined)
    return 'explain needs --request FILE, or --url with --method, --header and --token-file';
  if (request !== undefined && (url !== undefined || method !== undefined))
    return '--method and --url are not for --request, which has both';
  if (request === '-' && tokenFile === '-')
    return 'standard input can be read once, by --request or by --token-file';
  if (expect !== undefined && !isExpectation(expect))
    return '--expect takes allow, deny, a reason such as insufficient_scope, or an HTTP status';
  return header.every((line) => HEADER_LINE.test(line)) ? undefined : "--header takes 'name: value'";
}

async function readRequest(
  options: ExplainOptions,
  config: Config,
  io: CliIo,
): Promise<ReadRequest | undefined> {
  const headers = options.header.map((line): [string, string] => {
    const [, name = '', value = ''] = HEADER_LINE.exec(line) ?? [];
    return [name.toLowerCase(), value.trim()];
  });
  const given = await givenRequest(options, io);
  if (given === undefined) return undefined;
  if (options.tokenFile !== undefined) {
    const token = await readInput(options.tokenFile, io);
    if (token === undefined) return undefined;
    headers.push(credentialHeader(token, { config, hasProof: headers.some(([name]) => name === 'dpop') }));
  }
  return readRequestForm(given.request, { headers, policy: options.policy });
}

/** The text is never quoted: it holds a credential. */
async function givenRequest(
  { request: file, method = 'GET', url }: ExplainOptions,
  io: CliIo,
): Promise<{ request: unknown } | undefined> {
  if (file === undefined) return { request: { method, url } };
  const text = await readInput(file, io);
  if (text === undefined) return undefined;
  try {
    return { request: JSON.parse(text) as unknown };
  } catch {
    io.err(`${file}: must be JSON`);
    return undefined;
  }
}

function report(conclusion: Conclusion, { json, expect }: ExplainOptions, io: CliIo): ExitCode {
  io.out(json === true ? JSON.stringify(conclusion, null, 2) : format(conclusion));
  if (expect === undefined || meetsExpectation(conclusion, expect)) return EXIT.ok;
  const status = conclusion.response.http === undefined ? '' : `, ${conclusion.response.http}`;
  io.err(`expected ${expect}, got ${conclusion.decision} (${conclusion.reason}${status})`);
  return EXIT.failed;
}

function format(conclusion: Conclusion): string {
  const { stages, decision, reason, policy, chosenBy, response, note, logged, why } = conclusion;
  const names = [...stages.map(({ stage }) => stage), 'decision', ...Object.keys(why ?? {})];
  const width = Math.max(...names.map((name) => name.length));
  const row = (name: string, text: string): string => `${name.padEnd(width)}  ${text}`;
  const choice = policy === undefined ? 'none' : `${policy} (chosen by ${chosenBy ?? 'nothing'})`;
  return [
    ...stages.map(({ stage, outcome }) => row(stage, outcome)),
    '',
    row('policy', choice),
    row('decision', decision === 'allow' ? `allowed (${reason})` : `not allowed: ${decision} (${reason})`),
    ...Object.entries(why ?? {}).map(([name, value]) =>
      row(name, typeof value === 'string' ? value : JSON.stringify(value)),
    ),
    ...(logged === undefined ? [] : [row('logged', describeLogged(logged))]),
    ...(note === undefined ? [] : [row('note', note)]),
    ...(decision === 'unknown' ? [] : [row('response', JSON.stringify(response, null, 2))]),
  ].join('\n');
}

function describeLogged({ decision, reason, details }: LoggedDecision): string {
  const why = Object.entries(details).map(([name, value]) => `; ${name} ${JSON.stringify(value)}`);
  return `${decision} (${reason}${why.join('')})`;
}

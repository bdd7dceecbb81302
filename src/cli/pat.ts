import { createApiClient, type ApiRequest, type CallApi } from '../http/api-client.js';
import {
  createPersonalAccessToken,
  formatPersonalAccessToken,
} from '../token-service/personal-access-token.js';
import { createScryptQueue } from '../token-service/scrypt-queue.js';
import { createSecretHasher } from '../token-service/secret-hasher.js';
import { systemClock } from '../ports.js';
import { type CliIo, EXIT, type ExitCode } from './io.js';

/** What every command that asks the server is given. */
export interface PatOptions {
  readonly url: string;
  readonly json?: boolean;
}

/** Where the administrator's token comes from: never an argument, which others on the machine could read. */
export interface PatDependencies {
  readonly io: CliIo;
  /** `PORTCULLIS_TOKEN` */
  readonly token: string | undefined;
}

/** A record as the API answers it. */
type Row = Readonly<Record<string, unknown>>;

/**
 * `portcullis pat issue|list|…`: one request to the admin API, and its answer for a person or, with `--json`, as it came.
 *
 * @param request what to ask
 * @param show the answer in words; lines of standard output
 * @returns failed where the server refused
 */
export async function runPat(
  options: PatOptions & { readonly request: ApiRequest; readonly show: (body: Row) => string },
  { io, token }: PatDependencies,
): Promise<ExitCode> {
  // An empty variable is how scripts leave one out.
  const given = token?.trim() ?? '';
  const secret = given === '' ? (await io.in()).trim() : given;
  if (secret === '') {
    io.err('portcullis: a token of an administrator is needed, in PORTCULLIS_TOKEN or on standard input');
    return EXIT.usage;
  }
  const call: CallApi = createApiClient(options.url, secret);
  const { status, body } = await call(options.request);
  const answer = typeof body === 'object' && body !== null ? (body as Row) : {};
  if (status >= 300) {
    const { error, details } = answer;
    io.err(
      `portcullis: refused with ${status}: ${reasonOf(details) ?? reasonOf(error) ?? 'no reason was given'}`,
    );
    return EXIT.failed;
  }
  const text = options.json === true ? JSON.stringify(answer, null, 2) : options.show(answer);
  if (text !== '') io.out(text);
  return EXIT.ok;
}

/** A table of records, one per line. */
export function showRecords({ records }: Row): string {
  const rows = (Array.isArray(records) ? records : []) as Row[];
  const lines = rows.map((row) => [
    String(row.tokenId),
    String(row.owner),
    stateOf(row),
    row.isAdmin === true ? 'admin' : '',
    listOf(row.roles),
    listOf(row.scopes),
  ]);
  return formatTable([['ID', 'OWNER', 'STATE', 'ADMIN', 'ROLES', 'SCOPES'], ...lines]);
}

/** One record, a member per line. */
export function showRecord({ record }: Row): string {
  const members = Object.entries((record ?? {}) as Row);
  return formatTable(members.map(([name, value]) => [name, describeMember(name, value)]));
}

/** The token alone, so that `$(…)` takes it. */
export function showToken({ token }: Row): string {
  return String(token);
}

/** `portcullis pat bootstrap`: makes the first administrator's token, offline. What it prints is secret. */
export async function runPatBootstrap(
  { prefix, json }: { readonly prefix: string; readonly json?: boolean },
  io: CliIo,
): Promise<ExitCode> {
  const hasher = createSecretHasher({
    cost: { ln: 15, r: 8, p: 1 },
    queue: createScryptQueue({ concurrency: 1, queue: 0 }),
    clock: systemClock,
  });
  const made = createPersonalAccessToken('bootstrap');
  const token = formatPersonalAccessToken(prefix, made);
  const secretPhc = await hasher.hash(made.secret);
  io.out(json === true ? JSON.stringify({ token, secretPhc }, null, 2) : `${token}\n${secretPhc}`);
  if (json !== true) io.err('first line: the token, for its holder; second: tokens.bootstrapAdmin');
  return EXIT.ok;
}

function reasonOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const TIMES = new Set(['createdAt', 'expiresAt', 'revokedAt', 'lastUsedAt']);

function describeMember(name: string, value: unknown): string {
  if (TIMES.has(name) && typeof value === 'number') return new Date(value * 1000).toISOString();
  return Array.isArray(value) ? listOf(value) : String(value);
}

function stateOf({ revokedAt, expiresAt }: Row): string {
  if (revokedAt !== undefined) return 'revoked';
  return typeof expiresAt === 'number' && expiresAt * 1000 <= Date.now() ? 'expired' : 'active';
}

function listOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : '';
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

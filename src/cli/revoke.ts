import { type CliIo, EXIT, type ExitCode } from './io.js';

/** What is revoked: exactly one of the targets. */
export interface RevokeOptions {
  /** The admin port. */
  readonly admin: string;
  /** `-`: read from standard input. A token as an argument would be seen by everybody on the machine. */
  readonly token?: string;
  readonly jti?: string;
  readonly sid?: string;
  readonly sub?: string;
  readonly client?: string;
  readonly issuer?: string;
  readonly reason?: string;
}

const TARGETS = ['token', 'jti', 'sid', 'sub', 'client'] as const;
const TIMEOUT_MS = 10_000;

/** `portcullis revoke`: revokes through the admin port of a running server. Never prints a token. */
export async function runRevoke(options: RevokeOptions, io: CliIo): Promise<ExitCode> {
  const problem = usageProblem(options);
  if (problem !== undefined) {
    io.err(`error: ${problem}`);
    return EXIT.usage;
  }
  const body = await bodyOf(options, io);
  if (body === undefined) {
    io.err('portcullis: there is no token on standard input');
    return EXIT.failed;
  }
  const { status, text } = await send(options.admin, body);
  if (status === 201) {
    io.out(text);
    return EXIT.ok;
  }
  io.err(`portcullis: not revoked: ${status} ${text}`);
  return EXIT.failed;
}

function usageProblem(options: RevokeOptions): string | undefined {
  const given = TARGETS.filter((name) => options[name] !== undefined);
  if (given.length !== 1) return 'give exactly one of --token, --jti, --sid, --sub and --client';
  if (!URL.canParse(options.admin) || !/^https?:/i.test(options.admin))
    return '--admin must be a URL such as http://127.0.0.1:9192';
  if (options.token !== undefined) {
    if (options.token !== '-') return '--token must be -, and the token on standard input';
    return options.issuer === undefined ? undefined : '--issuer is not for --token, which names its own';
  }
  return options.issuer === undefined ? '--issuer is required' : undefined;
}

/** @returns undefined where there is no token to read */
async function bodyOf(options: RevokeOptions, io: CliIo): Promise<object | undefined> {
  const { issuer, jti, sid, sub, client: clientId, reason } = options;
  if (options.token === undefined) return { issuer, jti, sid, sub, clientId, reason };
  const token = (await io.in()).trim();
  return token === '' ? undefined : { token, reason };
}

async function send(admin: string, body: object): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(`${withoutFinalSlash(admin)}/revocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, text: (await response.text()).trim() };
  } catch {
    throw new Error('the admin port cannot be reached');
  }
}

function withoutFinalSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

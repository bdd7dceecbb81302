import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/units.js';
import type { ApiRequest } from '../http/api-client.js';
import type { ExitCode } from './io.js';
import type * as PatModule from './pat.js';
import type { PatDependencies, PatOptions } from './pat.js';

type Finish = (code: ExitCode) => void;
type Pat = typeof PatModule;
type Ask = (
  pat: Pat,
  request: ApiRequest,
  show: (body: Readonly<Record<string, unknown>>) => string,
) => Promise<void>;

/** Flags of the commands that describe a token. */
interface Described extends PatOptions {
  readonly owner?: string;
  readonly admin?: boolean;
  readonly role?: readonly string[];
  readonly scope?: readonly string[];
  readonly expiresAt?: number | null;
  readonly description?: string;
}

/** Adds `portcullis pat …`. */
export function addPatCommands(program: Command, deps: PatDependencies, finish: Finish): void {
  const pat = program.command('pat').description('personal access tokens, through the admin API');
  const command = (name: string, description: string): Command =>
    pat
      .command(name)
      .description(description)
      .requiredOption('--url <url>', 'the public port, such as https://gate.example.com')
      .option('--json', 'print JSON');
  const asking =
    (options: PatOptions): Ask =>
    async (module, request, show) =>
      finish(await module.runPat({ ...options, request, show }, deps));
  addReading(command, asking);
  addMaking(command, asking);
  addChanging(command, asking);
  pat
    .command('bootstrap')
    .description('make the token of the first administrator, offline; what it prints is secret')
    .option('--prefix <prefix>', 'tokens.prefix', 'pat_')
    .option('--json', 'print JSON')
    .action(async (options: { prefix: string; json?: boolean }) =>
      finish(await (await import('./pat.js')).runPatBootstrap(options, deps.io)),
    );
}

type Make = (name: string, description: string) => Command;
type Asking = (options: PatOptions) => Ask;

function addReading(command: Make, asking: Asking): void {
  command('list', 'list tokens')
    .option('--limit <n>', 'how many at most, 1 to 1000')
    .option('--after <id>', 'only those behind this id')
    .option('--owner <owner>', 'only those of this owner')
    .option('--role <role>', 'only those with this role')
    .option('--include-revoked', 'revoked ones, too')
    .option('--include-expired', 'expired ones, too')
    .action(async (options: PatOptions & Record<string, string | boolean | undefined>) => {
      const query = new URLSearchParams();
      const add = (name: string, value: string | boolean | undefined): void => {
        if (value !== undefined) query.set(name, String(value));
      };
      add('limit', options.limit);
      add('afterTokenId', options.after);
      add('owner', options.owner);
      add('hasRole', options.role);
      add('includeRevoked', options.includeRevoked);
      add('includeExpired', options.includeExpired);
      const module = await import('./pat.js');
      const path = `/admin/tokens${query.size === 0 ? '' : `?${query.toString()}`}`;
      await asking(options)(module, { method: 'GET', path }, module.showRecords);
    });
  command('show', 'show a token')
    .argument('<id>')
    .action(async (id: string, options: PatOptions) => {
      const module = await import('./pat.js');
      await asking(options)(module, { method: 'GET', path: pathOf(id) }, module.showRecord);
    });
}

function addMaking(command: Make, asking: Asking): void {
  describing(command('issue', 'issue a token; it is shown this once'), { isNew: true })
    .option('--id <id>', 'its id, instead of a random one')
    .option('--description <text>', 'what it is for')
    .action(async (options: Described & { id?: string }) => {
      const module = await import('./pat.js');
      const body = { ...bodyOf(options), tokenId: options.id, description: options.description };
      await asking(options)(module, { method: 'POST', path: '/admin/tokens', body }, module.showToken);
    });
  describing(command('register', 'register a token that was made elsewhere').argument('<id>'), {
    isNew: true,
  })
    .requiredOption('--phc <hash>', 'the scrypt hash of its secret, $scrypt$ln=…')
    .action(async (id: string, options: Described & { phc: string }) => {
      const module = await import('./pat.js');
      const body = { ...bodyOf(options), secretPhc: options.phc };
      await asking(options)(module, { method: 'PUT', path: pathOf(id), body }, module.showRecord);
    });
}

interface Changes extends Described {
  readonly addRole?: readonly string[];
  readonly removeRole?: readonly string[];
  readonly addScope?: readonly string[];
  readonly removeScope?: readonly string[];
}

function addChanging(command: Make, asking: Asking): void {
  describing(command('update', 'change a token').argument('<id>'), { isNew: false })
    .option('--no-admin', 'no administrator any more')
    .option('--add-role <role...>', 'roles to add')
    .option('--remove-role <role...>', 'roles to take away')
    .option('--add-scope <scope...>', 'scopes to add')
    .option('--remove-scope <scope...>', 'scopes to take away')
    .option('--never-expires', 'no expiry any more')
    .option('--description <text>', 'what it is for')
    .action(async (id: string, options: Changes & { neverExpires?: boolean }) => {
      const module = await import('./pat.js');
      const body = {
        ...bodyOf(options),
        description: options.description,
        ...(options.neverExpires === true ? { expiresAt: null } : {}),
        roles: changeOf(options.role, options.addRole, options.removeRole),
        scopes: changeOf(options.scope, options.addScope, options.removeScope),
      };
      await asking(options)(module, { method: 'PATCH', path: pathOf(id), body }, nothing);
    });
  command('revoke', 'revoke a token and all that was issued for it')
    .argument('<id>')
    .option('--forget-at <time>', 'when its record may go, seconds or a date', parseTime)
    .action(async (id: string, options: PatOptions & { forgetAt?: number }) => {
      const module = await import('./pat.js');
      const body = { expiresAt: options.forgetAt };
      await asking(options)(module, { method: 'PUT', path: `${pathOf(id)}/revoke`, body }, nothing);
    });
  command('restore', 'take a revocation back')
    .argument('<id>')
    .action(async (id: string, options: PatOptions) => {
      const module = await import('./pat.js');
      await asking(options)(module, { method: 'PUT', path: `${pathOf(id)}/restore` }, nothing);
    });
}

const nothing = (): string => '';

function describing(command: Command, { isNew }: { readonly isNew: boolean }): Command {
  const owner = ['--owner <owner>', 'whom it belongs to'] as const;
  return (isNew ? command.requiredOption(...owner) : command.option(...owner))
    .option('--admin', 'an administrator')
    .option('--role <role...>', 'its roles')
    .option('--scope <scope...>', 'its scopes')
    .option('--expires-at <time>', 'when it expires: seconds, a date, or a duration such as 720h', parseTime);
}

/** Absent members are left out of JSON. */
function bodyOf({ owner, admin, role, scope, expiresAt }: Described): object {
  return { owner, isAdmin: admin, roles: role, scopes: scope, expiresAt };
}

function changeOf(
  all: readonly string[] | undefined,
  add: readonly string[] | undefined,
  remove: readonly string[] | undefined,
): unknown {
  return add === undefined && remove === undefined ? all : { add, remove };
}

function pathOf(id: string): string {
  return `/admin/tokens/${encodeURIComponent(id)}`;
}

function parseTime(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const durationMs = parseDuration(text);
  const timeMs = durationMs === undefined ? Date.parse(text) : Date.now() + durationMs;
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError('It must be seconds since the epoch, a date, or a duration such as 720h.');
  return Math.floor(timeMs / 1000);
}

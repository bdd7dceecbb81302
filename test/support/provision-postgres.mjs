// @ts-check
/**
 * Finds a PostgreSQL to run: POSTGRES_BIN_DIR, then the PATH, then where Debian keeps it. `.ci/run` installs one where
 * it may.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findProgram, isExecutable } from './find-program.mjs';
import { freePort } from './free-port.mjs';
import { startProcess } from './processes.mjs';

const run = promisify(execFile);

const DEBIAN = '/usr/lib/postgresql';

/** What to do where findPostgres() finds none. */
export const POSTGRES_ADVICE =
  'no PostgreSQL server found; install one (Debian: apt-get install postgresql) or set POSTGRES_BIN_DIR';

/**
 * @returns {string | undefined} the folder that holds initdb and postgres
 * @throws {Error} where POSTGRES_BIN_DIR names a folder without them
 */
export function findPostgres() {
  const named = process.env['POSTGRES_BIN_DIR'];
  if (named) {
    if (!holdsServer(named)) throw new Error(`POSTGRES_BIN_DIR is ${named}, and no server is there`);
    return named;
  }
  const onPath = findProgram('initdb');
  return [...(onPath === undefined ? [] : [dirname(onPath)]), ...debianFolders()].find(holdsServer);
}

/** @param {string} folder */
const holdsServer = (folder) => ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name)));

/** @returns {string[]} newest first */
function debianFolders() {
  try {
    const versions = readdirSync(DEBIAN).sort((left, right) => Number(right) - Number(left));
    return versions.map((version) => join(DEBIAN, version, 'bin'));
  } catch {
    return [];
  }
}

/**
 * PostgreSQL refuses to run as root; then it runs as another user.
 * @returns {{ uid: number, gid: number } | undefined}
 */
function serverUser() {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (/** @type {string} */ flag) =>
        Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user.
    }
  }
  return undefined;
}

/**
 * @typedef {object} PostgresServer
 * @property {string} url
 * @property {() => Promise<void>} stop ends the server; its data stay
 * @property {() => Promise<void>} start starts it again on the same port
 * @property {(signal: NodeJS.Signals) => void} signal sent to the server and to the processes of its connections
 * @property {() => Promise<void>} remove ends the server and deletes its data
 */

/** @returns {Promise<PostgresServer>} an empty server, sorted as people sort where it can be */
export async function startPostgres() {
  const folder = findPostgres();
  if (folder === undefined) throw new Error(POSTGRES_ADVICE);
  const user = serverUser();
  const data = mkdtempSync(join(tmpdir(), 'portcullis-postgres-'));
  if (user) chownSync(data, user.uid, user.gid);
  await initialize(join(folder, 'initdb'), data, user);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server = await startServer();
  return {
    url,
    stop: () => server.stop('SIGINT'),
    start: async () => {
      server = await startServer();
    },
    signal: (signal) => {
      for (const pid of [server.pid, ...childrenOf(server.pid)]) process.kill(pid, signal);
    },
    remove: async () => {
      await server.stop('SIGINT');
      rmSync(data, { recursive: true, force: true });
    },
  };

  function startServer() {
    const postgres = join(/** @type {string} */ (folder), 'postgres');
    const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'fsync=off'];
    const [command = '', ...rest] = asUser(user, [postgres, ...args]);
    const ready = () => answersAt(url);
    return startProcess(command, rest, { name: `postgres-${port}`, ready, cwd: '/' });
  }
}

/**
 * @param {string} url
 * @returns {Promise<boolean>} whether the server takes connections
 */
async function answersAt(url) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * @param {{ uid: number, gid: number } | undefined} user
 * @param {string[]} command
 * @returns {string[]} the command that runs it as that user, in the same process
 */
const asUser = (user, command) =>
  user ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...command] : command;

/**
 * @param {string} initdb
 * @param {string} data
 * @param {{ uid: number, gid: number } | undefined} user
 */
async function initialize(initdb, data, user) {
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8'];
  const [command = '', ...rest] = asUser(user, [initdb, ...args]);
  try {
    // From PostgreSQL 15 on: an order that is not that of code points.
    await run(command, [...rest, '--locale-provider=icu', '--icu-locale=en'], { cwd: '/' });
  } catch {
    await run(command, [...rest, '--locale=C'], { cwd: '/' });
  }
}

/**
 * @param {number} pid
 * @returns {number[]}
 */
function childrenOf(pid) {
  try {
    const listed = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
    return listed.trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

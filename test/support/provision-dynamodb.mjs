// @ts-check
/**
 * DynamoDB Local, for those who ask for it with PORTCULLIS_TEST_DYNAMODB=1: from DYNAMODB_LOCAL_LIB, else from Maven
 * into the git-ignored tool folder, once. It needs Java 17 and 50 MB; so it is not part of the ordinary run.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.mjs';
import { freePort } from './free-port.mjs';
import { listensOn, startProcess } from './processes.mjs';
import { inRepository } from './repository.mjs';

const run = promisify(execFile);

const VERSION = '3.3.1';
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

const PROJECT = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>portcullis</groupId><artifactId>dynamodb-local</artifactId><version>1</version><dependencies><dependency>
<groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version>
</dependency></dependencies></project>`;

/** Said where the tests with DynamoDB Local are left out. */
export const DYNAMODB_ADVICE =
  'DynamoDB Local was not asked for (PORTCULLIS_TEST_DYNAMODB=1, needs Java 17 and Maven); its tests are left out.';

/** @returns {boolean} whether the tests with DynamoDB Local are asked for */
export const isDynamoWanted = () => process.env['PORTCULLIS_TEST_DYNAMODB'] === '1';

/** @returns {Promise<string>} the folder of its libraries */
async function provisionDynamo() {
  const named = process.env['DYNAMODB_LOCAL_LIB'];
  if (named) return named;
  const folder = inRepository('.tools', `dynamodb-local-${VERSION}`);
  if (!existsSync(join(folder, 'lib'))) await download(folder);
  return join(folder, 'lib');
}

/** @param {string} folder */
async function download(folder) {
  if (!findProgram('mvn')) throw new Error('DynamoDB Local needs Maven (Debian: apt-get install maven)');
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'pom.xml'), PROJECT);
  process.stderr.write(`fetching DynamoDB Local ${VERSION} (Maven, 50 MB) into .tools/, once …\n`);
  const args = [
    '-q',
    '-B',
    'dependency:copy-dependencies',
    '-DoutputDirectory=lib',
    '-DincludeScope=runtime',
  ];
  await run('mvn', args, { cwd: work, timeout: DOWNLOAD_TIMEOUT_MS });
  await rm(folder, { recursive: true, force: true });
  await rename(work, folder);
}

/**
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number, endpoint: string,
 *   restart: () => Promise<void> }>} an empty server; it keeps everything in memory
 */
export async function startDynamo() {
  const lib = await provisionDynamo();
  const port = await freePort();
  const args = ['-Djava.library.path=' + lib, '-cp', join(lib, '*')];
  args.push('software.amazon.dynamodb.services.local.main.ServerRunner');
  args.push('-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port));
  const endpoint = `http://127.0.0.1:${port}`;
  const start = () =>
    startProcess('java', args, { name: `dynamodb-${port}`, ready: listensOn(port), readyTimeoutMs: 60_000 });
  const first = await start();
  return { ...first, port, endpoint, restart: async () => void (await start()) };
}

// @ts-check
/** Finds an nginx to run: NGINX_BIN, then the PATH and /usr/sbin. `.ci/run` installs one where it may. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, isExecutable } from './find-program.mjs';
import { freePort } from './free-port.mjs';
import { listensOn, scratchDirectory, startProcess } from './processes.mjs';
import { inRepository } from './repository.mjs';

/** What to do where findNginx() finds none. */
export const NGINX_ADVICE =
  'no nginx on the PATH; install one (Debian: apt-get install nginx) or set NGINX_BIN';

/**
 * @returns {string | undefined} the path of an nginx
 * @throws {Error} where NGINX_BIN names something that cannot be run
 */
export function findNginx() {
  const named = process.env['NGINX_BIN'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`NGINX_BIN is ${named}, and that cannot be run`);
    return named;
  }
  return findProgram('nginx', `${process.env['PATH'] ?? ''}:/usr/sbin`);
}

/** @param {string} folder for what nginx would else keep in places of the system */
const mainConfig = (folder) => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  include site.conf;
}
`;

/**
 * Starts an nginx with the files of deploy/nginx, in which only ports are replaced.
 *
 * @param {object} ports
 * @param {number} ports.portcullis of the HTTP front
 * @param {number} ports.upstream
 * @returns {Promise<import('./processes.mjs').RunningProcess & { port: number }>}
 */
export async function startNginx({ portcullis, upstream }) {
  const binary = findNginx();
  if (binary === undefined) throw new Error(NGINX_ADVICE);
  const folder = mkdtempSync(join(scratchDirectory(), 'nginx-'));
  const port = await freePort();
  mkdirSync(join(folder, 'portcullis'));
  cpSync(inRepository('deploy', 'nginx'), join(folder, 'portcullis'), { recursive: true });
  const site = readFileSync(join(folder, 'portcullis', 'site.conf'), 'utf8')
    .replace('127.0.0.1:9194', `127.0.0.1:${portcullis}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${upstream}`)
    .replace('listen 8000', `listen 127.0.0.1:${port}`);
  writeFileSync(join(folder, 'site.conf'), site);
  writeFileSync(join(folder, 'nginx.conf'), mainConfig(folder));
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
  const started = await startProcess(binary, args, { name: `nginx-${port}`, ready: listensOn(port) });
  return { ...started, port };
}

/** Runs the servers of docs/guides/node-servers.md as they stand there. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { ensureBuilt } from '../support/ensure-built.mjs';
import { FakeIssuer } from '../support/fake-issuer.js';
import { freePort } from '../support/free-port.mjs';
import { liveToken } from '../support/live-tokens.js';
import { inRepository } from '../support/repository.mjs';
import { testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

// Below the repository, so that packages are found as they are from a project that has installed them.
const folder = inRepository('dist', '.guide-test');
const guide = readFileSync(inRepository('docs', 'guides', 'node-servers.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(?:js|ts) (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, name = '', code = '']) => [name, code] as const,
);
const servers = blocks.filter(([name]) => name !== 'gate.mjs');

const TRANSPILE: ts.TranspileOptions = {
  compilerOptions: {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    experimentalDecorators: true,
  },
};

let issuer: FakeIssuer;
const running: ChildProcess[] = [];

beforeAll(async () => {
  ensureBuilt();
  mkdirSync(folder, { recursive: true });
  issuer = await FakeIssuer.start();
  issuer.keys = [testKey('ES256').jwk];
  for (const [name, code] of blocks)
    writeFileSync(
      join(folder, name.replace(/\.ts$/, '.mjs')),
      name.endsWith('.ts') ? ts.transpileModule(withPort(code), TRANSPILE).outputText : withPort(code),
    );
}, 120_000);
afterAll(async () => {
  for (const child of running) child.kill();
  await issuer.stop();
  rmSync(folder, { recursive: true, force: true });
});

function withPort(code: string): string {
  return code.replaceAll('3000', 'Number(process.env.PORT)');
}

async function start(name: string): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(folder, name.replace(/\.ts$/, '.mjs'))], {
    env: { ...process.env, ISSUER: issuer.issuer, PORT: String(port), NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.push(child);
  const origin = `http://localhost:${port}`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    return fetch(origin).then(
      (response) => response.ok,
      () => false,
    );
  });
  return origin;
}

describe('docs/guides/node-servers.md', () => {
  test('has a server for each framework', () => {
    expect(servers.map(([name]) => name.split('.')[0])).toEqual([
      'express',
      'fastify',
      'hono',
      'koa',
      'nestjs',
      'node',
    ]);
  });

  test.each(servers)('%s', async (name) => {
    const origin = await start(name);
    const bearer = (claims: Record<string, unknown>) => ({
      headers: { authorization: `Bearer ${liveToken({ iss: issuer.issuer, sub: 'alice', ...claims })}` },
    });
    expect(await (await fetch(origin)).text()).toBe('hello');
    expect((await fetch(`${origin}/me`)).status).toBe(401);
    expect(await (await fetch(`${origin}/me`, bearer({}))).json()).toEqual({ id: 'alice' });
    const remove = (scope: string) => fetch(`${origin}/orders/7`, { method: 'DELETE', ...bearer({ scope }) });
    expect((await remove('orders:read')).status).toBe(403);
    expect(await (await remove('orders:write')).json()).toEqual({ deleted: '7' });
  });
});

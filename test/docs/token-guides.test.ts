/** Runs the commands of the guides about tokens, as they are written, and loads their configurations. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { ensureBuilt } from '../support/ensure-built.mjs';
import { freePorts } from '../support/free-port.mjs';
import { inRepository } from '../support/repository.mjs';

const guideOf = (name: string) => readFileSync(inRepository('docs', 'guides', `${name}.md`), 'utf8');
const blocksOf = (name: string, language: string) =>
  [...guideOf(name).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );

/** Runs a guide in a shell and a folder of its own. What it starts ends with it. */
async function run(name: string, setUp = ''): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'guide-'));
  const ports = await freePorts('grpc', 'admin', 'public');
  const local = (text: string) =>
    text
      // Nothing answers there, and nothing leaves this machine.
      .replaceAll('https://login.example.com', 'http://127.0.0.1:1')
      .replaceAll(':9191', `:${ports.grpc}`)
      .replaceAll(':9192', `:${ports.admin}`)
      .replaceAll(':9193', `:${ports.public}`);
  for (const yaml of blocksOf(name, 'yaml')) writeFileSync(join(folder, 'portcullis.yaml'), local(yaml));
  // A program and not a function, so that what runs in the background is the server itself.
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${inRepository('bin', 'portcullis.js')}" "$@"\n`;
  writeFileSync(join(folder, 'portcullis'), shim, { mode: 0o755 });
  const script = [
    'set -euo pipefail',
    `export PATH="${folder}:$PATH"`,
    `trap 'kill $(jobs -p) 2> /dev/null || true' EXIT`,
    setUp,
    ...blocksOf(name, 'sh'),
  ].join('\n');
  const child = spawn('bash', ['-c', local(script)], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise((resolve) => child.on('exit', resolve));
  expect({ code, err: code === 0 ? '' : err + out }).toEqual({ code: 0, err: '' });
  return out;
}

beforeAll(() => ensureBuilt(), 120_000);

describe('the guides about tokens', () => {
  test('personal-access-tokens.md', async () => {
    const out = await run('personal-access-tokens');
    expect(out).toMatch(/robot +ops@example\.com +active/);
    expect(out.match(/^(?:true|false)$/gm)).toEqual(['true', 'false']);
  }, 60_000);

  test('token-endpoint.md', async () => {
    const out = await run('token-endpoint', blocksOf('personal-access-tokens', 'sh')[0]);
    expect(out.match(/"token_type":"Bearer"/g)).toHaveLength(5);
    expect(out).toContain('"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"');
    expect(out.match(/"active":(?:true|false)/g)).toEqual(['"active":true', '"active":false']);
  }, 60_000);

  test('rotate-keys.md', async () => {
    expect((await run('rotate-keys')).trim().split('\n').slice(-3)).toEqual(['second', 'second', 'first']);
  }, 60_000);

  test('workload-identity.md', async () => {
    const keys = JSON.stringify(await generateSigningKeys('EdDSA'));
    const [yaml = ''] = blocksOf('workload-identity', 'yaml');
    const { config } = loadConfig('/portcullis.yaml', {
      readFile: (path) => Buffer.from(path.endsWith('keys.json') ? keys : yaml),
    });
    expect(config.tokens?.service?.trust.map(({ client }) => client)).toEqual([
      'deployer',
      'shop',
      'assistant',
    ]);
  });
});

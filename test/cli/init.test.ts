import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runInit, type InitOptions } from '../../src/cli/init.js';
import { runTest } from '../../src/cli/test.js';
import { loadConfig } from '../../src/config/load.js';
import { PROVIDER_NAMES, PROVIDERS } from '../../src/init/providers.js';
import { scratchFile } from '../support/processes.mjs';

const io = () => {
  const lines = { out: [] as string[], err: [] as string[] };
  return {
    lines,
    io: {
      in: () => Promise.resolve(''),
      out: (text: string) => void lines.out.push(text),
      err: (text: string) => void lines.err.push(text),
    },
  };
};

const newFolder = (): string =>
  join(dirname(scratchFile('init')), `first-${Math.trunc(performance.now() * 1000)}`);

const OPTIONS: InitOptions = {
  provider: 'generic',
  issuer: 'https://login.example.com',
  audience: 'https://api.example.com',
  dir: '',
};

describe('portcullis init', () => {
  test.each(PROVIDER_NAMES)(
    '%s: what it writes is valid, without warnings, and meets its own cases',
    async (provider) => {
      const dir = newFolder();
      const { io: out, lines } = io();
      expect(runInit({ ...OPTIONS, provider, dir }, out)).toBe(0);
      expect(loadConfig(join(dir, 'portcullis.yaml')).warnings).toEqual([]);
      expect(lines.out.join('\n')).toContain('portcullis validate --config');
      const code = await runTest(
        { config: join(dir, 'portcullis.yaml'), files: [join(dir, 'cases.yaml')] },
        out,
      );
      expect({ code, out: lines.out.at(-1) }).toMatchObject({ code: 0 });
    },
  );

  test('Istio: the mesh configuration names the one provider', () => {
    const dir = newFolder();
    expect(runInit({ ...OPTIONS, istio: true, dir }, io().io)).toBe(0);
    const mesh = readFileSync(join(dir, 'istio', 'mesh-config.yaml'), 'utf8');
    expect(mesh).toContain('name: portcullis\n');
    expect(mesh).not.toContain('orders');
    expect(readFileSync(join(dir, 'portcullis.yaml'), 'utf8')).toContain('grpc: 0.0.0.0:9191');
    expect(existsSync(join(dir, 'envoy.yaml'))).toBe(false);
  });

  test('overwrites nothing, not even in part, unless it is told to', () => {
    const dir = newFolder();
    runInit({ ...OPTIONS, dir }, io().io);
    writeFileSync(join(dir, 'cases.yaml'), 'mine');
    const { io: out, lines } = io();
    expect(runInit({ ...OPTIONS, provider: 'keycloak', dir }, out)).toBe(1);
    expect(lines.err.join('\n')).toContain('--force overwrites it');
    expect(readFileSync(join(dir, 'cases.yaml'), 'utf8')).toBe('mine');
    expect(readFileSync(join(dir, 'portcullis.yaml'), 'utf8')).not.toContain('Keycloak');
    expect(runInit({ ...OPTIONS, provider: 'keycloak', dir, force: true }, out)).toBe(0);
    expect(readFileSync(join(dir, 'portcullis.yaml'), 'utf8')).toContain('Keycloak');
  });

  test.each([
    [
      'no issuer',
      { issuer: undefined as never, provider: 'entra' as const },
      'https://login.microsoftonline.com/TENANT-ID/v2.0',
    ],
    ['no audience', { audience: undefined as never }, '--audience is missing'],
    ['both proxies', { envoy: true, istio: true }, 'exclude each other'],
    ['an issuer that is no URL', { issuer: 'login.example.com' }, 'issuers[0].issuer'],
    ['an issuer with plain http', { issuer: 'http://login.example.com' }, 'issuers[0].issuer'],
    ['text that would be YAML', { audience: '"]\nroutes: []' }, undefined],
  ])('refuses %s, and writes nothing', (_, options, message) => {
    const dir = newFolder();
    const { io: out, lines } = io();
    const code = runInit({ ...OPTIONS, ...options, dir }, out);
    if (message === undefined) {
      // It stays one audience.
      expect(loadConfig(join(dir, 'portcullis.yaml')).config.issuers[0]!.audiences).toEqual([
        '"]\nroutes: []',
      ]);
      return;
    }
    expect(code).toBe(2);
    expect(lines.err.join('\n')).toContain(message);
    expect(existsSync(dir)).toBe(false);
  });

  test('the oddities of Entra ID and Cognito are in what it writes', () => {
    expect(PROVIDERS.entra.notes.join(' ')).toContain('sts.windows.net');
    expect(PROVIDERS.cognito.policy).toContain('claims: { token_use: access }');
  });
});

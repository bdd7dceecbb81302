/** The files that users start from are accepted by the programs that they are for. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { envoyYaml, WRITTEN_PORTS } from '../support/envoy-config.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { PHC } from '../token-service/service-fixture.js';
import { provisionEnvoy } from '../support/provision-envoy.mjs';
import { inRepository } from '../support/repository.mjs';

const run = promisify(execFile);
afterAll(stopAll);

const env = {
  ...process.env,
  DEMO_NONCE_SECRET: 'x'.repeat(32),
  DEMO_SIGNING_KEYS: JSON.stringify(await generateSigningKeys('EdDSA')),
  DEMO_ADMIN_PHC: PHC,
  REDIS_URL: 'redis://redis:6379',
};

const validate = (file: string) =>
  run(process.execPath, [inRepository('bin/portcullis.js'), 'validate', '--config', file], { env });

describe('envoy.yaml', () => {
  test('is accepted by Envoy as it is', async () => {
    const envoy = await provisionEnvoy();
    const { stdout, stderr } = await run(envoy, ['--mode', 'validate', '-c', inRepository('envoy.yaml')]);
    expect(stdout + stderr).toContain('OK');
  });

  test('envoyYaml() moves the four ports, and nothing else', () => {
    const moved = envoyYaml({ admin: 1, listener: 2, portcullis: 3, upstream: 4 });
    const original = readFileSync(inRepository('envoy.yaml'), 'utf8');
    expect(moved).not.toEqual(original);
    expect(envoyYaml(WRITTEN_PORTS)).toEqual(original);
  });

  test('gives a single try all of the time, which Envoy reads from max_interval', () => {
    const { listeners } = parse(envoyYaml(WRITTEN_PORTS)).static_resources;
    const filters = listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
    const { timeout, retry_policy: retries } = filters[0].typed_config.grpc_service;
    expect(retries.retry_back_off.max_interval).toBe(timeout);
  });

  test('names policies that the demo configures', () => {
    const named = [...envoyYaml(WRITTEN_PORTS).matchAll(/^[^#]*portcullis\.policy: ([\w-]+)/gm)].map(
      ([, name]) => name,
    );
    const { policies } = parse(readFileSync(inRepository('deploy/demo/portcullis.yaml'), 'utf8'));
    expect(named).not.toEqual([]);
    expect(Object.keys(policies)).toEqual(expect.arrayContaining(named));
  });
});

describe('portcullis validate', () => {
  test('deploy/demo/portcullis.yaml is good', async () => {
    await expect(validate(inRepository('deploy/demo/portcullis.yaml'))).resolves.toBeDefined();
  });

  test('deploy/compose/portcullis.yaml is good where deploy/compose.yaml mounts it', async () => {
    const { services } = parse(readFileSync(inRepository('deploy/compose.yaml'), 'utf8'));
    const volumes: readonly string[] = services.portcullis.volumes;
    const folder = scratchFile('compose');
    for (const volume of volumes) {
      const [from = '', to = ''] = volume.split(':');
      cpSync(inRepository('deploy', from), join(folder, basename(to)), { recursive: true });
    }
    await expect(validate(join(folder, 'portcullis.yaml'))).resolves.toBeDefined();
  });

  test('the ConfigMap of deploy/kubernetes is good', async () => {
    const map = parse(readFileSync(inRepository('deploy/kubernetes/config-map.yaml'), 'utf8'));
    const file = scratchFile('portcullis.yaml');
    writeFileSync(file, map.data['portcullis.yaml']);
    await expect(validate(file)).resolves.toBeDefined();
  });
});

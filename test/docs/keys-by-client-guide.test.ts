/** Runs the examples of docs/guides/keys-by-client.md as they are written. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import { silentLogger } from '../../src/ports.js';
import { createRuntime } from '../../src/runtime/runtime.js';
import { checkRequestBytes, decodeAnswer, valuesOf } from '../support/envoy-messages.js';
import { accessClaims, createTestKey, mintToken, type TestKey } from '../support/tokens.js';
import { verdictsOf } from '../introspection/verdicts.js';

const CALL = { policy: undefined, authority: undefined, deadlineMs: Infinity };
const guide = readFileSync(new URL('../../docs/guides/keys-by-client.md', import.meta.url), 'utf8');
const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
const rows = [...guide.matchAll(/^\| (`\{.*) \|$/gm)].map(([, row = '']) =>
  row.split(' | ').map((cell) => cell.trim()),
);
const keys: Record<string, TestKey> = {
  'warehouse-7': createTestKey('EdDSA'),
  'shop-2': createTestKey('EdDSA'),
};

let folder: string;
let runtime: Awaited<ReturnType<typeof createRuntime>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'guide-'));
  mkdirSync(join(folder, 'clients'));
  for (const [name, { publicKey }] of Object.entries(keys))
    writeFileSync(join(folder, `clients/${name}.pem`), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'clients/warehouse-7.yaml'), blocks[1]!);
  writeFileSync(join(folder, 'portcullis.yaml'), `${blocks[0]!}${blocks[2]!}`);
  const { config, warnings } = loadConfig(join(folder, 'portcullis.yaml'), {
    readFile: (path) => readFileSync(path),
  });
  expect(warnings.filter(({ text }) => !text.includes('paths compare with their case'))).toEqual([]);
  runtime = await createRuntime(config, { log: silentLogger });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

async function ask(token: string, path: string): Promise<string> {
  const before = await verdictsOf(runtime);
  const bytes = await runtime.handler.check(
    checkRequestBytes({ path, headers: [['authorization', `Bearer ${token}`]] }),
    CALL,
  );
  const { ok_response: ok, denied_response: denied } = decodeAnswer(bytes);
  const after = await verdictsOf(runtime);
  const [reason] = [...after].find(([name, count]) => count > (before.get(name) ?? 0)) ?? [];
  const tenant = valuesOf(ok?.headers, 'x-tenant')[0];
  if (ok) return tenant === undefined ? 'allowed' : `allowed, x-tenant: ${tenant}`;
  return `${denied?.status?.code ?? 0} \`${reason ?? ''}\``;
}

describe('docs/guides/keys-by-client.md', () => {
  test.each(rows)('%s, signed by %s: %s', async (claims, signer, ...rest) => {
    const [path, answer] = rest.length === 1 ? ['/', rest[0]] : [rest[0]!.replaceAll('`', ''), rest[1]];
    const nowS = Math.floor(Date.now() / 1000);
    const token = mintToken({
      key: keys[signer]!,
      claims: {
        ...accessClaims(),
        iss: 'https://partners.example.com',
        iat: nowS,
        exp: nowS + 300,
        ...(JSON.parse(claims.replaceAll('`', '')) as object),
      },
    });
    const expected = rest.length === 1 && answer === 'allowed' ? /^allowed/ : answer;
    expect(await ask(token, path)).toEqual(
      expected instanceof RegExp ? expect.stringMatching(expected) : expected,
    );
  });

  test('has rows', () => expect(rows).toHaveLength(12));
});

/** The page /admin/ on the real product with two workers, in a real browser. */
import { writeFileSync } from 'node:fs';
import { credentials, type Client } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { AuthorizationClient, checkRequest, type CheckAnswer } from '../support/envoy-messages.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { freePort } from '../support/free-port.mjs';
import { startPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { CHROMIUM_ADVICE, findChromium, startChromium } from '../support/provision-chromium.mjs';
import { accessClaims, AUDIENCE, mintToken, testKey } from '../support/tokens.js';
import { patOf, PHC } from '../token-service/service-fixture.js';

const ADMIN = patOf('bootstrap');
const key = testKey('ES256');

if (findChromium() === undefined) test.skip(CHROMIUM_ADVICE, () => undefined);
else {
  describe('the page /admin/ of two workers', () => {
    let issuer: FakeIssuer;
    let browser: Browser;
    let page: Page;
    let client: Client;
    let origin: string;
    const complaints: string[] = [];

    beforeAll(async () => {
      issuer = await FakeIssuer.start();
      issuer.keys = [key.jwk];
      const keys = scratchFile('keys.json');
      writeFileSync(keys, JSON.stringify(await generateSigningKeys('EdDSA', 'sig')), { mode: 0o600 });
      origin = `http://127.0.0.1:${await freePort()}`;
      const gate = await startPortcullis({
        awaitKeys: true,
        config: {
          server: { workers: 2, public: new URL(origin).host },
          issuers: [{ issuer: issuer.issuer, audiences: [AUDIENCE], jwksUri: issuer.jwksUri }],
          policies: { default: { scopes: { all: ['orders:write'] } } },
          tokens: {
            issuer: 'https://gate.example.com',
            keys,
            store: { type: 'sqlite', path: scratchFile('tokens.db') },
            bootstrapAdmin: PHC,
          },
        },
      });
      client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure());
      browser = await startChromium();
      page = await browser.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
    }, 90_000);

    afterAll(async () => {
      client.close();
      await browser.close();
      await stopAll();
      await issuer.stop();
    });

    const row = (text: string) => page.getByRole('row').filter({ hasText: text });
    const exchange = (pat: string): Promise<Response> =>
      fetch(`${origin}/oauth/token`, { method: 'POST', body: new URLSearchParams({ client_secret: pat }) });

    test('issues a token that is exchanged, until it is revoked', async () => {
      await page.goto(`${origin}/admin/`);
      await page.getByLabel('Administrator token').fill(ADMIN);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'No tokens yet' }).waitFor();
      await page.getByRole('button', { name: 'Issue token' }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Owner').fill('robot-7');
      await dialog.getByRole('textbox', { name: 'Scopes' }).fill('orders:read');
      await dialog.getByRole('button', { name: 'Issue token' }).click();
      const pat = (await page.locator('#issued-token').textContent()) ?? '';
      await dialog.getByRole('button', { name: 'Done' }).click();
      const issued = await exchange(pat);
      expect([issued.status, await issued.json()]).toMatchObject([200, { scope: 'orders:read' }]);

      await row('robot-7').getByRole('button', { name: 'Manage' }).click();
      await dialog.getByRole('textbox', { name: 'Roles' }).fill('packer');
      await dialog.getByRole('textbox', { name: 'Roles' }).press('Enter');
      await dialog.getByRole('button', { name: 'Remove packer' }).waitFor();
      await dialog.getByLabel('Description').fill('Packs boxes');
      await dialog.getByLabel('Expires').fill('2031-05-04T10:00');
      await dialog.getByRole('button', { name: 'Save changes' }).click();
      await page.getByText('Saved.').waitFor();
      await dialog.getByRole('button', { name: 'Revoke' }).click();
      await dialog.getByRole('button', { name: 'Revoke now' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect((await exchange(pat)).status).toBe(401);

      await page.getByLabel('Revoked').check();
      await row('robot-7').getByRole('button', { name: 'Manage' }).click();
      await dialog.getByRole('button', { name: 'Restore' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect((await exchange(pat)).status).toBe(200);
      await page.getByLabel('Search tokens').fill('packer');
      await row('Packs boxes').waitFor();
      expect(complaints).toEqual([]);
    }, 60_000);

    test('shows the denials of all workers, tests one again, and shows key sets', async () => {
      const nowS = Math.floor(Date.now() / 1000);
      const token = mintToken({
        claims: accessClaims({ iss: issuer.issuer, iat: nowS, exp: nowS + 300 }),
        key,
      });
      const headers = [['authorization', `Bearer ${token}`]] as const;
      await new Promise<CheckAnswer>((resolve, reject) =>
        (client as any).Check(checkRequest({ headers }), (error: Error | null, answer: CheckAnswer) =>
          error === null ? resolve(answer) : reject(error),
        ),
      );
      await page.getByRole('link', { name: 'Denials' }).click();
      await row('insufficient_scope').waitFor();
      expect(await page.content()).not.toContain(token.split('.')[2]);
      await row('insufficient_scope').getByRole('button', { name: 'Test' }).click();
      await page.getByLabel('Access token').fill(token);
      await page.getByRole('button', { name: 'Test request' }).click();
      await page.getByText('Refused', { exact: true }).waitFor();
      await page.getByText('denied: insufficient_scope').waitFor();
      await page.getByRole('link', { name: 'Keys' }).click();
      await page.getByText(issuer.issuer, { exact: true }).waitFor();
      expect(complaints).toEqual([]);
    }, 60_000);

    test('only administrators are told anything', async () => {
      for (const path of ['denials', 'keys', 'tokens']) {
        expect((await fetch(`${origin}/admin/${path}`)).status).toBe(401);
      }
    });
  });
}

import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { serve, type ServerType } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createAdminPageRouter } from '../../../src/token-service/page/admin-page.js';
import type { TokenStore } from '../../../src/token-service/store.js';
import { CHROMIUM_ADVICE, findChromium, startChromium } from '../../support/provision-chromium.mjs';
import { inRepository } from '../../support/repository.mjs';
import { ADMIN_TOKEN, createAdminApiStub, fillStore } from './admin-api-stub.js';

const isThere = findChromium() !== undefined;
/** Where screenshots go: docs/images, when they are to be made again. */
const SHOTS = process.env.PORTCULLIS_SCREENSHOTS === '1' ? inRepository('docs', 'images') : undefined;

let browser: Browser;
let server: ServerType;
let origin: string;
let store: TokenStore;
let context: BrowserContext;
let page: Page;
/** What went wrong in the page, and every address it asked for. */
let complaints: string[];
let asked: string[];

async function startServer(): Promise<void> {
  const stub = createAdminApiStub();
  store = stub.store;
  await fillStore(store);
  stub.api.route('/', await createAdminPageRouter());
  server = serve({ fetch: stub.api.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openPage(over: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...over });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${origin}/admin/`);
}

async function signIn(token = ADMIN_TOKEN): Promise<void> {
  await page.getByLabel('Administrator token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const row = (text: string) => page.getByRole('row').filter({ hasText: text });
const shot = async (name: string): Promise<void> => {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.evaluate('document.fonts.ready.then(() => scrollTo(0, 0))');
  await page.waitForTimeout(250);
  await page.screenshot({ path: `${SHOTS}/admin-${name}.png` });
};

describe('createAdminPageRouter()', () => {
  beforeAll(startServer);
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test.each(['/admin/', '/admin/app.js', '/admin/app.css'])('%s comes with a strict policy', async (path) => {
    const response = await fetch(origin + path);
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  test('/admin leads to /admin/', async () => {
    const response = await fetch(`${origin}/admin`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([308, '/admin/']);
  });

  test.each([
    '/admin/../package.json',
    '/admin/%2e%2e%2fpackage.json',
    '/admin/index.html',
    '/admin/.env',
    '/admin/app.js.map',
  ])('%s is no file of the page', async (path) => {
    expect((await fetch(origin + path)).status).not.toBe(200);
  });

  test('the page has no script, style or address of others in it', async () => {
    const text = await (await fetch(`${origin}/admin/`)).text();
    expect(text).not.toMatch(/<script(?![^>]*src="\/admin\/)|<style|style=|\son\w+=|https?:/);
  });
});

if (!isThere) test.skip(CHROMIUM_ADVICE, () => undefined);
else {
  describe('the page /admin/ in a browser', () => {
    beforeAll(async () => {
      browser = await startChromium();
    }, 60_000);
    afterAll(() => browser.close());
    beforeEach(async () => {
      complaints = [];
      asked = [];
      await startServer();
    });
    afterEach(async () => {
      await context.close();
      await new Promise((resolve) => server.close(resolve));
    });

    test('lives the whole life of a token', async () => {
      await openPage();
      await shot('sign-in');
      await signIn();
      await page.getByRole('heading', { name: 'Tokens' }).waitFor();
      await row('nightly-export').waitFor();
      await shot('tokens');

      await page.getByRole('button', { name: 'Issue token' }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Owner').fill('robot-7');
      await dialog.getByLabel('Description').fill('Packs boxes');
      await dialog.getByRole('textbox', { name: 'Roles' }).fill('packer');
      await dialog.getByRole('textbox', { name: 'Roles' }).press('Enter');
      await dialog.getByRole('textbox', { name: 'Scopes' }).fill('boxes:write boxes:read');
      await shot('issue');
      await dialog.getByRole('button', { name: 'Issue token' }).click();
      const token = await page.locator('#issued-token').textContent();
      expect(token).toMatch(/^pat_/);
      await shot('issued');
      await dialog.getByRole('button', { name: 'Copy token' }).click();
      await dialog.getByRole('button', { name: 'Copied' }).waitFor();
      await dialog.getByRole('button', { name: 'Done' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect(await page.content()).not.toContain(token);
      await page.getByLabel('Search tokens').focus();
      await page.keyboard.press('Control+V');
      // The whole token was copied; of a pasted one the page looks for the id alone.
      await page.waitForTimeout(400);
      expect(await page.getByLabel('Search tokens').inputValue()).toBe(/_([^.]+)\./.exec(token ?? '')?.[1]);
      await row('robot-7').waitFor();
      expect(asked.join()).not.toContain(token?.split('.')[1]);
      const [record] = await store.list({ limit: 1, owner: 'robot-7' });
      expect(record).toMatchObject({
        roles: ['packer'],
        scopes: ['boxes:write', 'boxes:read'],
        isAdmin: false,
      });

      await page.getByLabel('Search tokens').fill('robot-7');
      await row('nightly-export').waitFor({ state: 'detached' });
      await row('robot-7').getByRole('button', { name: 'Manage' }).click();
      await dialog.getByRole('textbox', { name: 'Roles' }).fill('driver');
      await dialog.getByRole('textbox', { name: 'Roles' }).press('Enter');
      await dialog.getByRole('button', { name: 'Remove driver' }).waitFor();
      await dialog.getByRole('button', { name: 'Remove packer' }).click();
      await dialog.getByRole('button', { name: 'Remove packer' }).waitFor({ state: 'detached' });
      await dialog.getByLabel('Expires').fill('2031-05-04T10:00');
      await dialog.getByRole('button', { name: 'Save changes' }).click();
      await page.getByText('Saved.').waitFor();
      await shot('manage');
      const changed = await store.get(record!.tokenId);
      expect(changed?.roles).toEqual(['driver']);
      expect(changed?.expiresAt).toBe(Math.floor(new Date('2031-05-04T10:00').getTime() / 1000));

      await dialog.getByRole('button', { name: 'Revoke' }).click();
      expect((await store.get(record!.tokenId))?.revokedAt).toBeUndefined();
      await dialog.getByRole('button', { name: 'Revoke now' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect((await store.get(record!.tokenId))?.revokedAt).toBeDefined();
      await page.getByLabel('Search tokens').fill('');
      await page.getByLabel('Revoked').check();
      await row('robot-7').getByRole('button', { name: 'Manage' }).click();
      await dialog.getByRole('button', { name: 'Restore' }).click();
      await dialog.waitFor({ state: 'detached' });
      expect((await store.get(record!.tokenId))?.revokedAt).toBeUndefined();
      expect(complaints).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(origin))).toEqual([]);
    }, 90_000);

    test('keeps the token in memory only: nothing is stored, and a reload signs out', async () => {
      await openPage();
      await signIn();
      await row('nightly-export').waitFor();
      const kept = await page.evaluate(
        'JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href])',
      );
      expect(kept).toBe(JSON.stringify(['', {}, {}, `${origin}/admin/`]));
      expect(await context.cookies()).toEqual([]);
      await page.reload();
      await page.getByLabel('Administrator token').waitFor();
      await signIn();
      await row('nightly-export').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Administrator token').waitFor();
      expect(await page.content()).not.toContain(ADMIN_TOKEN);
    });

    test('says why a token is not accepted, and shows nothing', async () => {
      await openPage();
      await signIn('pat_wrong');
      await page.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
      expect(await page.getByRole('table').count()).toBe(0);
    });

    test('shows what records hold as text, whatever it is', async () => {
      const evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
      await store.insert({
        tokenId: '0evil',
        owner: evil,
        isAdmin: false,
        roles: [evil.replaceAll(' ', '')],
        scopes: [],
        createdAt: 1,
        secretPhc: '',
      });
      await openPage();
      await signIn();
      await row(evil).first().waitFor();
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.title()).toBe('Tokens · Portcullis');
      expect(complaints).toEqual([]);
    });

    test('is used by keyboard alone', async () => {
      await openPage();
      await page.keyboard.type(ADMIN_TOKEN);
      await page.keyboard.press('Enter');
      await row('nightly-export').waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.type('typed-owner');
      await page.keyboard.press('Enter');
      await page.locator('#issued-token').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await store.list({ limit: 1, owner: 'typed-owner' })).toHaveLength(1);
    });

    test('shows denials, feeds the tester with one, and shows keys', async () => {
      await openPage();
      await signIn();
      await page.getByRole('link', { name: 'Denials' }).click();
      await row('insufficient_scope').waitFor();
      await shot('denials');
      await row('insufficient_scope').getByRole('button', { name: 'Test' }).click();
      await page.getByText('This request was refused: insufficient_scope').waitFor();
      expect(await page.getByLabel('Path').inputValue()).toBe('/orders');
      await page.getByRole('button', { name: 'Test request' }).click();
      await page.getByText('denied: insufficient_scope').waitFor();
      await shot('tester');
      await page.getByRole('link', { name: 'Keys' }).click();
      await page.getByText('https://partners.example.net', { exact: true }).waitFor();
      await shot('keys');
      expect(complaints).toEqual([]);
    });

    test.each([
      ['dark', { colorScheme: 'dark' as const }],
      ['narrow', { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 }],
      [
        'narrow-dark',
        { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme: 'dark' as const },
      ],
    ])('fits: %s', async (name, over) => {
      await openPage(over);
      await signIn();
      await row('nightly-export').waitFor();
      await shot(`tokens-${name}`);
      for (const section of ['Denials', 'Tester', 'Keys', 'Tokens']) {
        await page.getByRole('link', { name: section }).click();
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForTimeout(50);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect([section, overflow]).toEqual([section, 0]);
        if (section !== 'Tokens') await shot(`${section.toLowerCase()}-${name}`);
      }
      await row('nightly-export').getByRole('button', { name: 'Manage' }).click();
      await page.getByRole('dialog').waitFor();
      await shot(`manage-${name}`);
    });
  });
}

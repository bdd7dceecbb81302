import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';

/** The folder of the page's files, seen from here: as far from `src` as from `dist`. */
const FOLDER = new URL('../../../page/', import.meta.url);

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** Every file of the page. No other is ever read. */
const FILES = [
  'index.html',
  'app.css',
  'controls.css',
  'views.css',
  'icon.svg',
  'api.js',
  'app.js',
  'chips.js',
  'denials.js',
  'dom.js',
  'format.js',
  'issue-dialog.js',
  'keys.js',
  'tester.js',
  'token-dialog.js',
  'tokens.js',
] as const;

/** Scripts, styles and calls of this origin alone; no text becomes a script; no form and no frame leads out. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'cache-control': 'no-cache',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), clipboard-read=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/**
 * Creates the routes of the page `/admin/`. The page holds nothing of this server: what it shows, it asks the admin API for,
 * with the token of whoever signed in.
 *
 * @returns a router to be mounted at `/`
 * @throws Error where a file of the page is missing from the installation
 */
export async function createAdminPageRouter(): Promise<Hono> {
  const router = new Hono();
  router.get('/admin', (c) => c.redirect('/admin/', 308));
  for (const name of FILES) {
    const content = await readFile(new URL(name, FOLDER));
    const headers = { ...HEADERS, 'content-type': TYPES[typeOf(name)] };
    const path = name === 'index.html' ? '/admin/' : `/admin/${name}`;
    router.get(path, (c) => c.body(new Uint8Array(content), 200, headers));
  }
  return router;
}

function typeOf(name: (typeof FILES)[number]): keyof typeof TYPES {
  return name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES;
}

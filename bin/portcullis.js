#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = (file) => new URL(`../dist/${file}`, import.meta.url).href;
if (existsSync(new URL(built('main.js')))) {
  if (process.argv[2] === 'serve') (await import(built('early-hangup.js'))).noteHangups();
  await import(built('main.js'));
} else {
  process.stderr.write('portcullis: not built yet; run `npm run build` in the checkout\n');
  process.exitCode = 1;
}

// Writes docs/configuration.md from the schema; with --check it only says whether that file is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { describeConfig } from '../dist/config/describe.js';

const page = new URL('configuration.md', import.meta.url);
const text = describeConfig();

if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
} else if (read(page) !== text) {
  console.error('docs/configuration.md is not what the schema says; run `npm run docs`');
  process.exitCode = 1;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

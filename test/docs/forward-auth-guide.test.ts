/** docs/guides/forward-auth.md and the files in deploy/ say the same. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../src/config/load.js';
import { STYLE_NAMES } from '../../src/fronts/forward-auth/styles.js';
import { frontCaseConfig } from '../support/guide-cases.js';
import { inRepository } from '../support/repository.mjs';

const guide = readFileSync(inRepository('docs', 'guides', 'forward-auth.md'), 'utf8');
const read = (...path: string[]) => readFileSync(inRepository('deploy', ...path), 'utf8');

/** The lines of the first block in a language, without comments and indentation. */
function linesOf(language: string): string[] {
  const [, block = ''] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(guide) ?? [];
  return linesIn(block);
}

const linesIn = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('docs/guides/forward-auth.md', () => {
  test('has a configuration that works without a warning', () => {
    const [, yaml = ''] = /```yaml\n(server:[^]*?)```/.exec(guide) ?? [];
    const { config, warnings } = parseConfig(stringify({ ...frontCaseConfig({}), ...parse(yaml) }));
    expect(warnings).toEqual([]);
    expect(config.server.http?.style).toBe('nginx');
  });

  test('names each style, and files that are there', () => {
    for (const style of STYLE_NAMES) expect(guide).toContain(`\`${style}\``);
    const files = [...guide.matchAll(/`(deploy\/[^`]*)`/g)].map(([, path = '']) => path);
    expect(files.filter((path) => !existsSync(inRepository(path)))).toEqual([]);
  });

  test.each([
    ['nginx', read('nginx', 'site.conf')],
    ['haproxy', read('haproxy', 'haproxy.cfg').replace('portcullis.lua', '/etc/haproxy/portcullis.lua')],
    ['caddyfile', read('caddy', 'Caddyfile')],
  ])('shows lines of the %s file', (language, file) => {
    const known = new Set(linesIn(file));
    const lines = linesOf(language);
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.filter((line) => !known.has(line))).toEqual([]);
  });

  test('shows the expression of the Traefik file', () => {
    const { http } = parse(read('traefik', 'dynamic.yaml'));
    const { authResponseHeadersRegex } = http.middlewares.portcullis.forwardAuth;
    expect(guide).toContain(`authResponseHeadersRegex: ${authResponseHeadersRegex}\n`);
  });
});

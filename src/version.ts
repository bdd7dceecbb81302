/** The version of the package, as package.json has it. */
import { readFileSync } from 'node:fs';

/** `1.2.3`. */
export const VERSION = versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

function versionOf(manifest: string): string {
  const { version } = JSON.parse(manifest) as { version: string };
  return version;
}

// The SBOM of what runs, as CycloneDX, on standard output: the versions of package-lock.json.
//
// `npm sbom --omit dev` in the repository leaves out packages that a development dependency needs as well, such as jose. So
// it runs where the development dependencies are not named at all.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const { name, version, license, description, dependencies } = JSON.parse(
  readFileSync(path('package.json'), 'utf8'),
);
const work = mkdtempSync(join(tmpdir(), 'sbom-'));
// npm names the document after the folder.
const folder = join(work, name);
mkdirSync(folder);
const npm = (...args) =>
  execFileSync('npm', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
try {
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, version, license, description, dependencies }),
  );
  copyFileSync(path('package-lock.json'), join(folder, 'package-lock.json'));
  npm('install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline');
  process.stdout.write(npm('sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'));
} finally {
  rmSync(work, { recursive: true, force: true });
}

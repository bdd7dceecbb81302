// The version stands in package.json; the manifests follow.
//   node deploy/version.mjs                 writes it into the manifests
//   node deploy/version.mjs --check [X.Y.Z] exits with 1 where one differs from package.json, or that from X.Y.Z
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(read('package.json'));

/** Files with the expressions around their version. */
const PLACES = [
  ['deploy/helm/portcullis/Chart.yaml', /(?<=^(?:version|appVersion): ).+$/gm],
  ['deploy/kubernetes/deployment.yaml', /(?<=image: portcullis:).+$/gm],
  ['deploy/kubernetes/kustomization.yaml', /(?<=newTag: )[^ }]+|(?<=\/portcullis:)\d+\.\d+\.\d+/g],
];

const isCheck = process.argv[2] === '--check';
const wanted = process.argv[3] ?? version;
if (wanted !== version) fail(`package.json has ${version}, and not ${wanted}`);
for (const [file, places] of PLACES) {
  const text = read(file);
  const updated = text.replace(places, version);
  if (updated === text) continue;
  if (isCheck) fail(`${file} has another version than ${version}; run \`node deploy/version.mjs\``);
  else writeFileSync(path(file), updated);
}

function path(file) {
  return new URL(`../${file}`, import.meta.url);
}

function read(file) {
  return readFileSync(path(file), 'utf8');
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

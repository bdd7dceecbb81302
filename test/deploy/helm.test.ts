import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '../../src/config/load.js';
import { asPublished, schemaProblems, unknownFields, type Manifest } from '../support/manifest-schemas.mjs';
import { scratchDirectory, stopAll } from '../support/processes.mjs';
import { findGoProgram } from '../support/provision-go.mjs';
import { describeWith } from '../support/with-go-program.js';
import { inRepository } from '../support/repository.mjs';

const run = promisify(execFile);
const CHART = inRepository('deploy/helm/portcullis');
// Helm that was not built for a release believes in a very old Kubernetes.
const KUBERNETES = ['--kube-version', '1.31.0'];
const helm = findGoProgram('helm');
const valueSets = readdirSync(join(CHART, 'ci'));

/** The manifests that real Helm renders. */
async function render(...args: readonly string[]): Promise<Manifest[]> {
  const { stdout } = await run(helm!, [
    'template',
    'portcullis',
    CHART,
    '-n',
    'portcullis',
    ...KUBERNETES,
    ...args,
  ]);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** What Helm says to these values, on top of the smallest set. */
async function refusal(values: string): Promise<string> {
  const file = join(scratchDirectory(), 'values.yaml');
  writeFileSync(file, values);
  return render('-f', join(CHART, 'ci/minimal-values.yaml'), '-f', file).then(
    () => 'rendered',
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}

/** Kustomize's output: the files that it lists, in its namespace, with its image. */
function kustomized(): Manifest[] {
  const read = (file: string): any => parse(readFileSync(inRepository('deploy/kubernetes', file), 'utf8'));
  const { resources, namespace, images } = read('kustomization.yaml');
  const [{ newName, newTag }] = images;
  return resources
    .map((file: string) => read(file))
    .map((manifest: any) => {
      if (manifest.kind === 'Deployment')
        manifest.spec.template.spec.containers[0].image = `${newName}:${newTag}`;
      if (manifest.kind !== 'Namespace') manifest.metadata.namespace = namespace;
      return manifest;
    });
}

const OWN_LABELS = ['instance', 'version', 'managed-by'].map((label) => `app.kubernetes.io/${label}`);

/** Without what Helm adds by its nature, and with the configuration parsed. */
function comparable(manifest: Manifest): unknown {
  const text = JSON.stringify(manifest, (key, value) => {
    if (OWN_LABELS.includes(key) || key === 'helm.sh/chart' || key === 'imagePullPolicy') return undefined;
    return key === 'portcullis.yaml' ? parse(value) : value;
  });
  const { metadata, ...rest } = JSON.parse(text);
  delete metadata.labels;
  return { ...rest, metadata };
}

const byKind = (manifests: readonly Manifest[]): Record<string, unknown> =>
  Object.fromEntries(manifests.map((manifest) => [manifest.kind, comparable(manifest)]));

const configOf = (manifests: readonly any[]): string | undefined =>
  manifests.find(({ data }) => data?.['portcullis.yaml'] !== undefined)?.data['portcullis.yaml'];

afterAll(stopAll);

describeWith('helm', helm)('deploy/helm/portcullis', () => {
  const rendered = new Map<string, Manifest[]>();
  beforeAll(async () => {
    for (const set of valueSets) rendered.set(set, await render('-f', join(CHART, 'ci', set)));
  }, 60_000);

  test('six sets of values are rendered', () => {
    expect(valueSets).toHaveLength(6);
  });

  test.each(valueSets)('helm lint has nothing to say to %s', async (set) => {
    const args = ['lint', '--strict', '--quiet', ...KUBERNETES, CHART, '-f', join(CHART, 'ci', set)];
    const { stdout } = await run(helm!, args);
    expect(stdout.replace(/\[INFO\].*/g, '').trim()).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  test.each(valueSets)('every manifest of %s has its schema', async (set) => {
    const problems: string[] = [];
    // One after the other: they import the same modules.
    for (const manifest of rendered.get(set)!)
      for (const problem of await schemaProblems(asPublished(manifest)))
        problems.push(`${manifest.kind} ${manifest.metadata.name}: ${problem}`);
    expect(problems).toEqual([]);
  });

  test('no manifest has a field that its kind does not know', () => {
    expect(unknownFields([...rendered.values()].flat().map(asPublished))).toEqual([]);
  });

  test.each(valueSets.filter((set) => set !== 'closed-values.yaml'))(
    'the configuration of %s is one that Portcullis takes',
    (set) => {
      const env = { REDIS_URL: 'redis://redis:6379', INTROSPECTION_SECRET: 'secret-for-tests' };
      const { config } = parseConfig(configOf(rendered.get(set)!)!, { env });
      expect([config.server.grpc, config.server.admin]).toEqual(['0.0.0.0:9191', '0.0.0.0:9192']);
    },
  );

  test('kustomize-values.yaml renders what kustomize does', () => {
    const { Namespace: _namespace, ...expected } = byKind(kustomized());
    expect(byKind(rendered.get('kustomize-values.yaml')!)).toEqual(expected);
  });

  test('secrets are referred to, and never rendered', () => {
    const production = rendered.get('production-values.yaml')!;
    expect(production.map(({ kind }) => kind)).not.toContain('Secret');
    expect(parse(configOf(production)!)).toMatchObject({
      redis: { url: '${env:REDIS_URL}' },
      replay: { store: 'redis' },
    });
    const [container] = (production.find(({ kind }) => kind === 'Deployment') as any).spec.template.spec
      .containers;
    expect(container.env).toEqual([
      { name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'portcullis-redis', key: 'url' } } },
      {
        name: 'INTROSPECTION_SECRET',
        valueFrom: { secretKeyRef: { name: 'portcullis-introspection', key: 'secret' } },
      },
    ]);
  });

  test('a pod that autoscaling counts has no number of replicas, and rolls with its configuration', () => {
    const deployment: any = rendered.get('production-values.yaml')!.find(({ kind }) => kind === 'Deployment');
    expect(deployment.spec.replicas).toBeUndefined();
    expect(deployment.spec.template.metadata.annotations['checksum/config']).toMatch(/^[0-9a-f]{64}$/);
  });

  test('a policy of Istio that names one of Portcullis has a host of its own, which chooses it', () => {
    const istio: any[] = rendered.get('istio-values.yaml')!;
    const { provider } = istio.find(({ metadata }) => metadata.namespace === 'orders').spec;
    const service = istio.find(({ kind, metadata }) => kind === 'Service' && metadata.name === provider.name);
    expect(service.spec.ports[0]).toMatchObject({ port: 9191, appProtocol: 'grpc' });
    expect(parse(configOf(istio)!).server.authorities).toEqual({
      [`${provider.name}.portcullis.svc.cluster.local`]: 'orders-write',
    });
  });

  test('every policy of Envoy Gateway fails closed, and may refer to the gate', () => {
    const manifests: any[] = rendered.get('envoy-gateway-values.yaml')!;
    const grants = manifests.filter(({ kind }) => kind === 'ReferenceGrant');
    for (const { metadata, spec } of manifests.filter(({ kind }) => kind === 'SecurityPolicy')) {
      expect(spec.extAuth).toMatchObject({ failOpen: false, statusOnError: 503, timeout: '1s' });
      const [{ name }] = spec.extAuth.grpc.backendRefs;
      expect(grants.map((grant) => grant.spec)).toContainEqual({
        from: [{ group: 'gateway.envoyproxy.io', kind: 'SecurityPolicy', namespace: metadata.namespace }],
        to: [{ group: '', kind: 'Service', name }],
      });
    }
  });

  test('with TLS no probe needs a client certificate', () => {
    const deployment: any = rendered.get('closed-values.yaml')!.find(({ kind }) => kind === 'Deployment');
    const [container] = deployment.spec.template.spec.containers;
    expect([container.startupProbe, container.readinessProbe, container.livenessProbe]).toMatchObject([
      { httpGet: { port: 'admin' } },
      { tcpSocket: { port: 'grpc' } },
      { httpGet: { port: 'admin' } },
    ]);
  });

  test.each([
    ['a misspelled key', 'replica: 3', 'replica'],
    ['a misspelled key deep inside', 'networkPolicy: { caller: [] }', 'caller'],
    ['nobody who may ask', 'networkPolicy: { callers: [] }', 'networkPolicy.callers is empty'],
    ['no issuer', 'config: { issuers: [] }', 'config.issuers is empty'],
    ['two configurations', 'existingConfigMap: other', 'exclude each other'],
    [
      'a port of its own',
      'config: { server: { grpc: 0.0.0.0:1 } }',
      'config.server.grpc is set by the chart',
    ],
    ['Redis without its secret', 'redis: { enabled: true }', 'redis.urlSecret.name'],
    ['TLS without its secret', 'tls: { enabled: true }', 'tls.secretName'],
    ['two scrapers', 'podMonitor: { enabled: true }\nserviceMonitor: { enabled: true }', 'scrape each pod'],
    [
      'an Istio policy for a whole namespace',
      'istio: { enabled: true, policies: [{ name: a, namespace: b }] }',
      'neither selector nor targetRefs',
    ],
    ['an invented digest', 'image: { digest: sha256:abc }', 'digest'],
  ])('Helm refuses %s', async (_name, values, expected) => {
    expect(await refusal(values)).toContain(expected);
  });
});

describe('Chart.yaml', () => {
  test('is of the version of the package', () => {
    const { version } = JSON.parse(readFileSync(inRepository('package.json'), 'utf8'));
    expect(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({
      version,
      appVersion: version,
      name: basename(CHART),
    });
  });
});

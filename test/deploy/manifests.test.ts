import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { asPublished, schemaProblems, unknownFields, type Manifest } from '../support/manifest-schemas.mjs';
import { inRepository } from '../support/repository.mjs';

const FOLDERS = ['deploy/kubernetes', 'deploy/istio'];
/** Files that tools read and no API server: they have no schema there. */
const TOOL_FILES = ['kustomization.yaml', 'mesh-config.yaml'];

const yamlFiles = FOLDERS.flatMap((folder) =>
  readdirSync(inRepository(folder)).map((name) => ({ folder, name, path: inRepository(folder, name) })),
).filter(({ name }) => name.endsWith('.yaml') && !TOOL_FILES.includes(name));

const manifests: { title: string; manifest: Manifest }[] = yamlFiles.flatMap(({ name, path }) =>
  parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    const manifest = document.toJS() as Manifest;
    return { title: `${name}: ${manifest.kind} ${manifest.metadata.name}`, manifest };
  }),
);

const find = (kind: string, name = 'portcullis'): any =>
  manifests.find(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name)!.manifest;

const readYaml = (path: string): any => parse(readFileSync(inRepository(path), 'utf8'));

describe('schemas', () => {
  test.each(manifests)('schemaProblems() finds none in $title', async ({ manifest }) => {
    expect(await schemaProblems(asPublished(manifest))).toEqual([]);
  });

  test('unknownFields() finds none in any manifest', () => {
    expect(unknownFields(manifests.map(({ manifest }) => asPublished(manifest)))).toEqual([]);
  });

  test('unknownFields() finds a misspelled field deep inside', () => {
    const deployment = structuredClone(find('Deployment'));
    deployment.spec.template.spec.containers[0].readinesProbe = { grpc: { port: 1 } };
    expect(unknownFields([deployment]).join()).toContain('readinesProbe');
  });

  test('schemaProblems() finds a wrong value', async () => {
    const service = structuredClone(find('Service'));
    service.spec.ports[0].port = 'many';
    expect(await schemaProblems(service)).not.toEqual([]);
  });
});

describe('the manifests agree with each other', () => {
  const labels = find('Deployment').spec.template.metadata.labels;
  const container = find('Deployment').spec.template.spec.containers[0];
  const config = parse(find('ConfigMap').data['portcullis.yaml']);
  const providers = readYaml('deploy/istio/mesh-config.yaml').spec.meshConfig.extensionProviders;

  test.each([
    ['Service', find('Service').spec.selector],
    ['Service orders-write', find('Service', 'orders-write').spec.selector],
    ['PodDisruptionBudget', find('PodDisruptionBudget').spec.selector.matchLabels],
    ['NetworkPolicy', find('NetworkPolicy').spec.podSelector.matchLabels],
    ['Deployment', find('Deployment').spec.selector.matchLabels],
  ])('%s selects the pods', (_kind, selector) => {
    expect(labels).toMatchObject(selector);
  });

  test.each(['Service', 'Service orders-write'])('%s speaks HTTP/2 to the mesh', (title) => {
    const [kind = '', name] = title.split(' ');
    expect(find(kind, name).spec.ports[0]).toMatchObject({
      port: 9191,
      appProtocol: 'grpc',
      targetPort: 'grpc',
    });
  });

  test('ports of the configuration are the ones of the container', () => {
    expect(container.ports.map((port: any) => port.containerPort)).toEqual([9191, 9192]);
    expect(config.server).toMatchObject({ grpc: '0.0.0.0:9191', admin: '0.0.0.0:9192' });
  });

  test.each(['readinessProbe', 'livenessProbe'])('%s asks grpc.health.v1', (probe) => {
    expect(container[probe].grpc.port).toBe(9191);
  });

  test('a pod without the keys of an issuer does not replace one that has them [operators 12]', () => {
    expect(container.startupProbe.httpGet).toEqual({ path: '/readyz', port: 'admin' });
  });

  test('snapshots of key sets are in a volume [operators 12]', () => {
    const { mountPath } = container.volumeMounts.find(({ name }: any) => name === 'snapshots');
    expect(config.jwks.snapshotDir).toMatch(new RegExp(`^${mountPath}/`));
    const { volumes } = find('Deployment').spec.template.spec;
    expect(volumes.find(({ name }: any) => name === 'snapshots').emptyDir).toBeDefined();
  });

  test('every namespace whose proxies call the gate may [operators 5]', () => {
    const callers = manifests
      .filter(({ manifest }) => manifest.kind === 'AuthorizationPolicy')
      .map(({ manifest }: any) => manifest.metadata.namespace);
    const [checks] = find('NetworkPolicy').spec.ingress;
    const [{ values }] = checks.from[0].namespaceSelector.matchExpressions;
    expect(values).toEqual(expect.arrayContaining(callers));
  });

  test('policies and filters of the gateway select the same pods [operators 4]', () => {
    const { matchLabels } = find('AuthorizationPolicy').spec.selector;
    for (const name of ['portcullis-filter', 'portcullis-routes'])
      expect(find('EnvoyFilter', name).spec.workloadSelector.labels).toEqual(matchLabels);
  });

  test('the pod is confined', () => {
    expect(find('Deployment').spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('the pod has time to leave the endpoints and to drain', () => {
    const pod = find('Deployment').spec.template.spec;
    const drainS = Number.parseInt(config.server.drainTimeout, 10);
    const delayS = Number.parseInt(config.server.drainDelay, 10);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(delayS + drainS);
  });

  test('every provider fails closed, in time, and says so', () => {
    for (const { envoyExtAuthzGrpc } of providers) {
      expect(envoyExtAuthzGrpc).toMatchObject({
        port: 9191,
        failOpen: false,
        statusOnError: '503',
        timeout: '1s',
      });
    }
  });

  test('every provider that a policy names exists, and its host is a service', () => {
    const named = manifests
      .filter(({ manifest }) => manifest.kind === 'AuthorizationPolicy')
      .map(({ manifest }: any) => manifest.spec.provider.name);
    expect(providers.map((provider: any) => provider.name)).toEqual(expect.arrayContaining(named));
    for (const { envoyExtAuthzGrpc } of providers) {
      const [name, namespace] = envoyExtAuthzGrpc.service.split('.');
      expect(find('Service', name).metadata.namespace).toBe(namespace);
    }
  });

  test('every policy that is chosen by name is configured', () => {
    const names = [
      ...Object.values(config.server.authorities),
      find('EnvoyFilter', 'portcullis-routes').spec.configPatches[0].patch.value.typed_per_filter_config[
        'envoy.filters.http.ext_authz'
      ].check_settings.context_extensions['portcullis.policy'],
      find('EnvoyFilter', 'portcullis-filter').spec.configPatches[0].patch.value.typed_config.grpc_service
        .initial_metadata[0].value,
    ];
    expect(Object.keys(config.policies)).toEqual(expect.arrayContaining(names));
  });

  test('every host of server.authorities is a provider', () => {
    const hosts = providers.map((provider: any) => provider.envoyExtAuthzGrpc.service);
    expect(hosts).toEqual(expect.arrayContaining(Object.keys(config.server.authorities)));
  });

  test('kustomization.yaml lists every manifest beside it', () => {
    const { resources } = readYaml('deploy/kubernetes/kustomization.yaml');
    const files = yamlFiles.filter(({ folder }) => folder === 'deploy/kubernetes').map(({ name }) => name);
    expect([...resources].sort()).toEqual(files.sort());
  });
});

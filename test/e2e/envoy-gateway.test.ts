/**
 * What Envoy Gateway 1.9 makes of deploy/envoy-gateway, driven through a real Envoy: a filter per SecurityPolicy that is off,
 * and turned on by the routes of its targets.
 */
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { EnvoyParts } from '../support/envoy-config.mjs';
import { bearer, liveToken, PLAIN_CONFIG, startGateStack, type GateStack } from '../support/gate-stack.js';
import { schemaProblems } from '../support/manifest-schemas.mjs';
import { stopAll } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';

const TYPE = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3';

const manifests: any[] = ['security-policy.yaml', 'reference-grant.yaml'].flatMap((file) =>
  parseAllDocuments(readFileSync(inRepository('deploy/envoy-gateway', file), 'utf8')).map((document) =>
    document.toJS(),
  ),
);
const [onGateway, onRoute] = manifests;

const nameOf = ({ metadata }: any): string => `securitypolicy/${metadata.namespace}/${metadata.name}`;
const filterName = (policy: any): string => `envoy.filters.http.ext_authz/${nameOf(policy)}`;

const filterOf = (policy: any, cluster: string): object => {
  const [backend] = policy.spec.extAuth.grpc.backendRefs;
  const authority = `${backend.name}.${backend.namespace}:${backend.port}`;
  return {
    name: filterName(policy),
    disabled: true,
    typed_config: {
      '@type': `${TYPE}.ExtAuthz`,
      transport_api_version: 'V3',
      failure_mode_allow: policy.spec.extAuth.failOpen,
      grpc_service: {
        envoy_grpc: { cluster_name: cluster, authority },
        timeout: policy.spec.extAuth.timeout,
      },
      status_on_error: { code: policy.spec.extAuth.statusOnError },
    },
  };
};

const routeOf = (prefix: string, policy?: any): object => ({
  match: { path_separated_prefix: prefix },
  route: { cluster: 'upstream' },
  ...(policy && {
    typed_per_filter_config: {
      [filterName(policy)]: {
        '@type': `${TYPE}.ExtAuthzPerRoute`,
        check_settings: {
          context_extensions: Object.fromEntries(
            (policy.spec.extAuth.contextExtensions ?? []).map(({ name, value }: any) => [name, value]),
          ),
        },
      },
    },
  }),
});

const gateway = ({ manager, portcullis }: EnvoyParts): void => {
  portcullis.name = `${nameOf(onGateway)}/portcullis/portcullis`;
  const router = manager.http_filters.at(-1);
  manager.http_filters = [...[onGateway, onRoute].map((policy) => filterOf(policy, portcullis.name)), router];
  const routes = [routeOf('/orders', onRoute), routeOf('/items', onGateway), routeOf('/untargeted')];
  manager.route_config.virtual_hosts = [{ name: 'all', domains: ['*'], routes }];
};

const CONFIG = { ...PLAIN_CONFIG, policies: { 'orders-write': { scopes: { all: ['orders:write'] } } } };
const withScope = (scope: string) => [bearer(liveToken({ claims: { scope } }))];

let stack: GateStack;
beforeEach(async () => {
  stack = await startGateStack({ config: CONFIG, change: gateway });
}, 60_000);
afterEach(async () => {
  await stack.upstream.close();
});
afterAll(stopAll);

describe('the filters that Envoy Gateway generates', () => {
  test('the manifests are what its API takes', async () => {
    for (const manifest of manifests) expect(await schemaProblems(manifest)).toEqual([]);
  });

  test('ask about the routes of their targets, and the context extension chooses the policy', async () => {
    const status = async (path: string, scope?: string) =>
      (await stack.http1({ path, ...(scope === undefined ? {} : { headers: withScope(scope) }) })).status;
    expect(await status('/items')).toBe(401);
    expect(await status('/items', 'any')).toBe(200);
    expect(await status('/orders/1')).toBe(401);
    expect(await status('/orders/1', 'orders:read')).toBe(403);
    expect(await status('/orders/1', 'orders:write')).toBe(200);
    // Why one policy belongs on the Gateway: a route without a policy is open.
    expect(await status('/untargeted')).toBe(200);
  });

  test('a server that is gone lets nothing through', async () => {
    await stack.portcullis[0]!.stop('SIGKILL');
    expect((await stack.http1({ path: '/items', headers: withScope('') })).status).toBe(503);
    expect(stack.upstream.requests).toEqual([]);
  });
});

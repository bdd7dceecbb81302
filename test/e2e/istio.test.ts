/**
 * What istiod makes of deploy/istio, driven through a real Envoy: the filters of a CUSTOM AuthorizationPolicy with a
 * gRPC provider, in Istio's order, and the EnvoyFilters merged over them as istiod merges them.
 */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import type { EnvoyParts } from '../support/envoy-config.mjs';
import { bearer, liveToken, PLAIN_CONFIG, startGateStack, type GateStack } from '../support/gate-stack.js';
import { stopAll } from '../support/processes.mjs';
import { inRepository } from '../support/repository.mjs';

const EXT_AUTHZ = 'envoy.filters.http.ext_authz';
const RBAC = 'envoy.filters.http.rbac';

const read = (path: string): any => parse(readFileSync(inRepository('deploy', path), 'utf8'));

const providers = read('istio/mesh-config.yaml').spec.meshConfig.extensionProviders;
const policies = ['istio/authorization-policy.yaml', 'istio/alias-service.yaml']
  .flatMap((path) => parseAllDocuments(readFileSync(inRepository('deploy', path), 'utf8')))
  .map((document) => document.toJS())
  .filter(({ kind }) => kind === 'AuthorizationPolicy');
const {
  server,
  routes,
  policies: configured,
  identity,
} = parse(read('kubernetes/config-map.yaml').data['portcullis.yaml']);
const { authorities } = server;

/** The ConfigMap's configuration, with an issuer whose keys are at hand. */
const CONFIG = {
  ...PLAIN_CONFIG,
  server: { ...PLAIN_CONFIG.server, authorities },
  routes,
  policies: configured,
  identity,
};

const pathRule = (path: string) =>
  path.endsWith('*')
    ? { url_path: { path: { prefix: path.slice(0, -1) } } }
    : { url_path: { path: { exact: path } } };

const anyOf = (paths: string[]) => ({ or_rules: { rules: paths.map(pathRule) } });

const permission = ({ paths, notPaths }: { paths?: string[]; notPaths?: string[] }) => ({
  and_rules: {
    rules: [...(paths ? [anyOf(paths)] : []), ...(notPaths ? [{ not_rule: anyOf(notPaths) }] : [])],
  },
});

/** The first filter: it only marks the requests that the policy is about. */
const markingFilter = ({ metadata, spec }: any) => ({
  name: RBAC,
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
    shadow_rules: {
      action: 'DENY',
      policies: {
        [`istio-ext-authz-ns[${metadata.namespace}]-policy[${metadata.name}]-rule[0]`]: {
          permissions: [permission(spec.rules[0].to[0].operation)],
          principals: [{ and_ids: { ids: [{ any: true }] } }],
        },
      },
    },
    shadow_rules_stat_prefix: 'istio_ext_authz_',
  },
});

/** The second: it asks about those. */
const askingFilter = ({ envoyExtAuthzGrpc: provider }: any) => ({
  name: EXT_AUTHZ,
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
    transport_api_version: 'V3',
    grpc_service: {
      envoy_grpc: {
        cluster_name: `outbound|${provider.port}||${provider.service}`,
        authority: provider.service,
      },
      timeout: provider.timeout,
    },
    failure_mode_allow: provider.failOpen,
    status_on_error: { code: 'ServiceUnavailable' },
    filter_enabled_metadata: {
      filter: RBAC,
      path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
      value: { string_match: { prefix: 'istio-ext-authz' } },
    },
  },
});

/** Lists of the patch are added, objects merged, values replaced: a merge of protobuf messages. */
const merge = (target: any, patch: any): any => {
  if (Array.isArray(target) && Array.isArray(patch)) return [...target, ...patch];
  if (typeof target !== 'object' || typeof patch !== 'object') return patch;
  const merged = { ...target };
  for (const [key, value] of Object.entries(patch))
    merged[key] = key in merged ? merge(merged[key], value) : value;
  return merged;
};

const patchOf = (file: string) => read(`istio/${file}`).spec.configPatches[0];

/** The gateway's configuration for a policy of deploy/istio. */
const gateway =
  (policyName: string, patches: string[] = []) =>
  ({ manager, portcullis }: EnvoyParts): void => {
    const policy = policies.find(({ metadata }) => metadata.name === policyName);
    const provider = providers.find(({ name }: any) => name === policy.spec.provider.name);
    const asking = askingFilter(provider);
    portcullis.name = asking.typed_config.grpc_service.envoy_grpc.cluster_name;
    const router = manager.http_filters.at(-1);
    manager.http_filters = [markingFilter(policy), asking, router];
    const { http } = read('istio/virtual-service.yaml').spec;
    manager.route_config.virtual_hosts = [{ name: 'all', domains: ['*'], routes: http.map(toRoute) }];
    for (const { applyTo, match, patch } of patches.map(patchOf)) {
      if (applyTo === 'HTTP_FILTER') manager.http_filters[1] = merge(asking, patch.value);
      const list = manager.route_config.virtual_hosts[0].routes;
      const at = list.findIndex(({ name }: any) => name === match.routeConfiguration?.vhost.route.name);
      if (applyTo === 'HTTP_ROUTE') list[at] = merge(list[at], patch.value);
    }
  };

const toRoute = ({ name, match }: any) => ({
  name,
  match: match
    ? {
        prefix: match[0].uri.prefix,
        headers: [{ name: ':method', string_match: { exact: match[0].method.exact } }],
      }
    : { prefix: '/' },
  route: { cluster: 'upstream' },
});

let stack: GateStack;
const start = async (policyName: string, patches: string[] = [], config: object = CONFIG): Promise<void> => {
  stack = await startGateStack({ config: { ...config }, change: gateway(policyName, patches) });
};

const withScope = (scope: string) => [bearer(liveToken({ claims: { scope } }))];

afterEach(async () => {
  await stack.upstream.close();
});
afterAll(stopAll);

describe('the filter that istiod generates', () => {
  test('asks about the paths of the policy, and no others', async () => {
    await start('portcullis');
    expect((await stack.http1({ path: '/anything' })).status).toBe(401);
    expect((await stack.http2({ path: '/anything', headers: withScope('') })).status).toBe(200);
    expect((await stack.http1({ path: '/healthz' })).status).toBe(200);
  });

  test('way 4: our own routes choose the policy', async () => {
    await start('portcullis');
    const post = (scope: string) =>
      stack.http1({ method: 'POST', path: '/orders/1', headers: withScope(scope) });
    expect((await stack.http1({ path: '/public/x' })).status).toBe(200);
    expect((await post('orders:read')).status).toBe(403);
    expect((await post('orders:write')).status).toBe(200);
  });

  test('way 1: the host of the provider chooses it', async () => {
    await start('orders-write');
    expect((await stack.http1({ path: '/public/x' })).status).toBe(401);
    expect((await stack.http1({ path: '/public/x', headers: withScope('orders:read') })).status).toBe(403);
    expect((await stack.http1({ path: '/public/x', headers: withScope('orders:write') })).status).toBe(200);
  });

  test('way 2: an EnvoyFilter on a named route chooses it', async () => {
    await start('portcullis', ['envoy-filter-routes.yaml'], { ...CONFIG, routes: undefined });
    const send = (method: string) =>
      stack.http1({ method, path: '/orders/1', headers: withScope('orders:read') });
    expect((await send('POST')).status).toBe(403);
    expect((await send('GET')).status).toBe(200);
  });

  test('way 3: an EnvoyFilter on the filter chooses it', async () => {
    await start('portcullis', ['envoy-filter-filter.yaml']);
    expect((await stack.http1({ path: '/public/x', headers: withScope('orders:read') })).status).toBe(403);
    expect((await stack.http1({ path: '/public/x', headers: withScope('orders:write') })).status).toBe(200);
  });

  test('a server that is gone lets nothing through', async () => {
    await start('portcullis');
    await stack.portcullis[0]!.stop('SIGKILL');
    expect((await stack.http1({ path: '/anything', headers: withScope('') })).status).toBe(503);
    expect(stack.upstream.requests).toEqual([]);
  });
});

/**
 * The same through a real Envoy, at a constant rate: a constant answer behind ext_authz, Portcullis behind ext_authz,
 * Envoy's own jwt_authn, and no filter at all. One Envoy with one worker, a listener each, direct responses.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { freePorts } from '../../test/support/free-port.mjs';
import { answersOk, scratchFile, startProcess } from '../../test/support/processes.mjs';
import { provisionEnvoy } from '../../test/support/provision-envoy.mjs';
import { checkBody, usualHeaders } from '../lib/check-request.mjs';
import { baseConfig, issuerOf, startGate } from '../lib/gate.mjs';
import { headerBlock } from '../lib/http2-client.mjs';
import { Latencies, median } from '../lib/latencies.mjs';
import { askOnce } from '../lib/measure.mjs';
import { openLoop } from '../lib/open-loop.mjs';
import { cpuUs, startServer } from '../lib/process.mjs';
import { createKey, createToken, proofMaker, thumbprint, withBadSignature } from '../lib/tokens.mjs';

const issuer = 'https://login.example.com';
const type = (name) => `type.googleapis.com/envoy.extensions.filters.${name}`;
const socket = (port) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

const extAuthz = (cluster) => ({
  name: 'envoy.filters.http.ext_authz',
  typed_config: {
    '@type': type('http.ext_authz.v3.ExtAuthz'),
    transport_api_version: 'V3',
    grpc_service: { envoy_grpc: { cluster_name: cluster }, timeout: '0.5s' },
    failure_mode_allow: false,
    validate_mutations: true,
  },
});

const jwtAuthn = (key, cacheSize) => ({
  name: 'envoy.filters.http.jwt_authn',
  typed_config: {
    '@type': type('http.jwt_authn.v3.JwtAuthentication'),
    providers: {
      login: {
        issuer,
        audiences: ['https://api.example.com'],
        local_jwks: { inline_string: JSON.stringify({ keys: [key.jwk] }) },
        claim_to_headers: ['sub', 'client_id', 'tenant'].map((claim) => ({
          claim_name: claim,
          header_name: `x-user-${claim.replace('_', '-')}`,
        })),
        ...(cacheSize ? { jwt_cache_config: { jwt_cache_size: cacheSize } } : {}),
      },
    },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'login' } }],
  },
});

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': type('http.router.v3.Router') },
};

const listener = (name, port, filters) => ({
  name,
  address: socket(port),
  filter_chains: [
    {
      filters: [
        {
          name: 'envoy.filters.network.http_connection_manager',
          typed_config: {
            '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
            stat_prefix: name,
            codec_type: 'HTTP2',
            http_filters: [...filters, router],
            route_config: {
              virtual_hosts: [
                {
                  name: 'all',
                  domains: ['*'],
                  routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
                },
              ],
            },
          },
        },
      ],
    },
  ],
});

const grpcCluster = (name, port) => ({
  name,
  type: 'STATIC',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(port) } }] }],
  },
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
});

async function startEnvoy({ floor, gate, key }) {
  const ports = await freePorts('admin', 'none', 'native', 'nativeCached', 'floor', 'gate');
  const config = {
    admin: { address: socket(ports.admin) },
    static_resources: {
      listeners: [
        listener('none', ports.none, []),
        listener('native', ports.native, [jwtAuthn(key)]),
        listener('native-cached', ports.nativeCached, [jwtAuthn(key, 1000)]),
        listener('floor', ports.floor, [extAuthz('floor')]),
        listener('gate', ports.gate, [extAuthz('gate')]),
      ],
      clusters: [grpcCluster('floor', floor.port), grpcCluster('gate', gate.port)],
    },
  };
  const file = scratchFile('envoy-bench.yaml');
  writeFileSync(file, stringify(config));
  const binary = await provisionEnvoy({ say: (line) => console.error(line) });
  const args = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'error'];
  const started = await startProcess(binary, args, {
    name: 'envoy',
    ready: answersOk(`http://127.0.0.1:${ports.admin}/ready`),
  });
  return { ...started, ports };
}

const get = (path, headers) =>
  headerBlock([
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'api.example.com'],
    ...Object.entries({ ...usualHeaders, ...headers }).filter(([name]) => !name.startsWith('x-')),
  ]);

const withToken = (token) => get('/orders/4711', { authorization: `Bearer ${token}` });
const cycling = (blocks) => {
  let next = 0;
  return () => blocks[next++ % blocks.length];
};

/** What is sent through which listener. */
function loadsOf({ key, proofKey, gatePort, requests }) {
  const token = createToken(issuer, key);
  const fresh = Array.from({ length: 1500 }, () => createToken(issuer, key));
  const known = withToken(token);
  return [
    { name: 'no filter', listener: 'none', block: () => known, expect: 200 },
    { name: 'constant answer (floor)', listener: 'floor', block: () => known, expect: 200 },
    { name: 'jwt_authn, RS256', listener: 'native', block: () => known, expect: 200 },
    { name: 'jwt_authn, cached', listener: 'nativeCached', block: () => known, expect: 200 },
    {
      name: 'portcullis, anonymous',
      listener: 'gate',
      block: () => get('/public/logo.svg', {}),
      expect: 200,
    },
    { name: 'portcullis, known token', listener: 'gate', block: () => known, expect: 200, subject: true },
    {
      name: 'portcullis, new RS256 token',
      listener: 'gate',
      block: cycling(fresh.map(withToken)),
      expect: 200,
    },
    {
      name: 'portcullis, bad signature',
      listener: 'gate',
      block: cycling(fresh.map((one) => withToken(withBadSignature(one)))),
      expect: 401,
    },
    dpopLoad({ key, proofKey, gatePort, requests }),
  ];
}

function dpopLoad({ key, proofKey, gatePort, requests }) {
  const token = createToken(issuer, key, { cnf: { jkt: thumbprint(proofKey) } });
  const prove = proofMaker(proofKey, { token, method: 'GET', target: 'https://api.example.com/orders/4711' });
  const headersOf = (nonce) => ({ authorization: `DPoP ${token}`, dpop: prove(nonce) });
  let blocks = [];
  let next = 0;
  return {
    name: 'portcullis, DPoP',
    listener: 'gate',
    expect: 200,
    block: () => blocks[next++ % blocks.length],
    async prepare() {
      const { response } = await askOnce(gatePort, checkBody({ headers: headersOf() }));
      const nonce = response.denied_response.headers.find(
        ({ header }) => header.key.toLowerCase() === 'dpop-nonce',
      ).header.value;
      blocks = Array.from({ length: requests }, () => get('/orders/4711', headersOf(nonce)));
      next = 0;
    },
  };
}

async function stretch(load, { envoy, gate, floor, rate, requests }) {
  await load.prepare?.();
  const behind = load.listener === 'floor' ? floor : load.listener === 'gate' ? gate : undefined;
  const before = { envoy: cpuUs(envoy.pid), behind: behind ? cpuUs(behind.pid) : 0 };
  const result = await openLoop(envoy.ports[load.listener], {
    rate,
    requests,
    block: load.block,
    body: () => undefined,
    read: ({ status }) => status,
  });
  return {
    latencies: result.latencies,
    wrong: requests - (result.statuses[load.expect] ?? 0),
    statuses: result.statuses,
    envoyUs: (cpuUs(envoy.pid) - before.envoy) / requests,
    behindUs: behind ? (cpuUs(behind.pid) - before.behind) / requests : 0,
  };
}

/**
 * @param {{ rate: number, seconds: number, generations: number, rounds: number }} plan
 * @returns {Promise<{ rate: number, rows: object[], p99Ratio: number, p99Ms: number, met: boolean }>}
 */
export async function throughEnvoy(plan) {
  const [key, proofKey] = [createKey('RS256'), createKey('ES256')];
  const config = baseConfig({
    issuers: [issuerOf(issuer, key)],
    tokenCache: { maxEntries: 500, maxBytes: '64MiB' },
    dpop: { nonce: { mode: 'required', secrets: [randomBytes(32).toString('hex')] } },
    // One client makes all the proofs, and one key may hold a sixteenth.
    replay: { maxEntries: 16_000_000 },
  });
  const requests = Math.max(50, Math.round(plan.rate * plan.seconds));
  const stretches = new Map();
  for (let generation = 0; generation < plan.generations; generation++) {
    const [floor, gate] = [await startServer('floor.mjs'), await startGate(config)];
    const envoy = await startEnvoy({ floor, gate, key });
    try {
      const loads = loadsOf({ key, proofKey, gatePort: gate.port, requests });
      const at = { envoy, gate, floor, rate: plan.rate, requests };
      for (const load of loads) await stretch(load, at);
      for (let round = 0; round < plan.rounds; round++) {
        for (const load of loads) {
          const list = stretches.get(load.name) ?? [];
          stretches.set(load.name, [...list, await stretch(load, at)]);
        }
      }
    } finally {
      for (const server of [envoy, gate, floor]) await server.stop();
    }
  }
  return judge(plan.rate, stretches);
}

function judge(rate, stretches) {
  const rows = [...stretches].map(([name, list]) => ({
    name,
    ...Latencies.merge(list.map(({ latencies }) => latencies)).summary(),
    envoyUs: median(list.map(({ envoyUs }) => envoyUs)),
    gateUs: median(list.map(({ behindUs }) => behindUs)),
    wrong: list.reduce((sum, { wrong }) => sum + wrong, 0),
  }));
  const of = (name) => stretches.get(name).map(({ latencies }) => latencies.quantile(0.99));
  const [floor, gate] = [of('constant answer (floor)'), of('portcullis, known token')];
  const p99Ratio = median(gate.map((p99, i) => p99 / floor[i]));
  return { rate, rows, p99Ratio, p99Ms: median(gate), met: p99Ratio <= 1.5 && median(gate) <= 3 };
}

/** Portcullis as the benchmark runs it: the built program, one configuration a case. */
import { startPortcullis } from '../../test/support/portcullis-process.mjs';

/**
 * What every case has in common. No decision is logged: a log is its own case. Overload is not shed: a closed loop is
 * overload, and a 503 would be cheaper than the decision.
 */
export const baseConfig = ({ issuers, ...over }) => ({
  server: { limits: { eventLoopDelay: '60s', concurrentChecks: 100_000 } },
  issuers,
  identity: { headers: { 'x-user-id': 'sub', 'x-user-client': 'client_id', 'x-user-tenant': 'tenant' } },
  policies: {
    open: { access: 'anonymous' },
    'orders-read': { scopes: { all: ['orders:read'] } },
  },
  routes: [
    { paths: ['/public/**'], policy: 'open' },
    { paths: ['/**'], policy: 'orders-read' },
  ],
  log: { decisions: 'none' },
  ...over,
});

/** An issuer whose keys stand in the configuration: no network in a benchmark of the hot path. */
export const issuerOf = (issuer, ...keys) => ({
  issuer,
  audiences: ['https://api.example.com'],
  jwks: { keys: keys.map((key) => key.jwk) },
});

let transport = 'grpc-js';

/** @param {string} name the transport of every gate that is started from now on */
export function useTransport(name) {
  transport = name;
}

/** @param {object} given @param {Record<string, string>} [env] */
export async function startGate(given, env) {
  const config = { ...given, server: { ...given.server, transport } };
  const gate = await startPortcullis({ config, awaitKeys: true, ...(env ? { env } : {}) });
  return { ...gate, port: gate.grpcPort };
}

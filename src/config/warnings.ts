import { isLoopbackHost } from '../http/address-rules.js';
import { parseAddress } from './address.js';
import type { Config } from './config.js';
import { warnOfPolicies, type Warn } from './policy-warnings.js';
import { type Locate, type Problem, ProblemReport } from './problems.js';

const STRONG_SECRET_BYTES = 32;

/** What works, and is probably not what was meant. */
export function warningsOf(config: Config, locate: Locate): readonly Problem[] {
  const warnings = new ProblemReport();
  const warn: Warn = (path, text) => warnings.add(path, text);
  warnOfPolicies(config, warn);
  warnOfServer(config, warn);
  warnOfProofs(config, warn);
  warnOfRevocation(config, warn);
  warnOfTokens(config, warn);
  return warnings.list(locate);
}

function warnOfServer(config: Config, warn: Warn): void {
  const { server, jwks } = config;
  const admin = parseAddress(server.admin);
  if (admin?.kind === 'tcp' && !isLoopbackHost(admin.host)) {
    warn(['server', 'admin'], 'is not on loopback, and has no authentication; let a network policy guard it');
  }
  const grpc = parseAddress(server.grpc);
  if (server.transport === 'lean' && grpc?.kind === 'tcp' && !isLoopbackHost(grpc.host)) {
    if (server.tls?.clientCa === undefined)
      warn(
        ['server', 'transport'],
        'lean on an address that is not loopback is meant for mTLS; set server.tls with clientCa, or use grpc-js',
      );
  }
  if (server.failure === 'error') {
    warn(
      ['server', 'failure'],
      'error leaves failures to Envoy: with failure_mode_allow they are let through. deny stays closed',
    );
  }
  warnOfHttpFront(config, warn);
  if (jwks.allowHttp)
    warn(
      ['jwks', 'allowHttp'],
      'lets keys be fetched without TLS; anybody on the network path can forge them',
    );
}

function warnOfHttpFront({ server: { http }, credentials, identity }: Config, warn: Warn): void {
  if (http === undefined) return;
  if (http.trustedProxies.length === 0)
    warn(
      ['server', 'http', 'trustedProxies'],
      'names nobody, so every question is refused; name the proxies',
    );
  const everybody = http.trustedProxies.findIndex((network) => network.endsWith('/0'));
  if (everybody >= 0 && http.tls?.clientCa === undefined)
    warn(
      ['server', 'http', 'trustedProxies', everybody],
      'believes everybody who can reach the port; let a network policy guard it, or ask for certificates with tls.clientCa',
    );
  if (identity.credential === 'remove' && credentials.some((place) => place.query !== undefined))
    warn(
      ['server', 'http'],
      'a proxy that asks by HTTP cannot take a parameter out by itself: the token of a query reaches the upstream, unless the proxy forwards the target in x-portcullis-target',
    );
}

function warnOfProofs(config: Config, warn: Warn): void {
  const { dpop, replay, server, policies } = config;
  dpop.nonce.secrets.forEach((secret, index) => {
    if (Buffer.byteLength(secret) < STRONG_SECRET_BYTES)
      warn(
        ['dpop', 'nonce', 'secrets', index],
        'is shorter than 32 bytes; `openssl rand -base64 32` makes a good one',
      );
  });
  if (replay.store === 'memory' && dpop.mode !== 'off' && server.workers !== 1) {
    warn(
      ['replay', 'store'],
      'memory is shared by the processes of this machine, not with other replicas; use redis where there are several',
    );
  }
  if (replay.onUnavailable === 'allow' && dpop.mode !== 'off')
    warn(['replay', 'onUnavailable'], 'allow lets a DPoP proof be replayed while the store is down');
  if (config.redis !== undefined && !usesRedis(config))
    warn(['redis'], 'is not used: no store is redis, and no issuer introspects');
  for (const [name, policy] of Object.entries(policies)) {
    if (policy.senderConstraint === 'dpop' && dpop.mode === 'off')
      warn(['policies', name, 'senderConstraint'], 'refuses every token, since dpop.mode is off');
  }
}

function warnOfRevocation({ issuers, server, revocation }: Config, warn: Warn): void {
  if (revocation?.onUnavailable === 'allow' && revocation.store === 'redis')
    warn(['revocation', 'onUnavailable'], 'allow lets revoked tokens pass while Redis is down');
  if (server.public !== undefined) return;
  issuers.forEach((issuer, index) => {
    for (const name of ['logout', 'events'] as const) {
      if (issuer[name] !== undefined)
        warn(['issuers', index, name], 'nothing can arrive, since server.public is absent');
    }
  });
}

function usesRedis({ replay, revocation, issuers }: Config): boolean {
  if (replay.store === 'redis' || revocation?.store === 'redis') return true;
  return issuers.some(({ introspection }) => introspection !== undefined);
}

function warnOfTokens({ identity, server, tokens, issuers }: Config, warn: Warn): void {
  if (issuers.length === 0 && tokens?.service === undefined)
    warn(['issuers'], 'no token is accepted: there is no issuer, and none is issued here');
  const own =
    tokens?.service === undefined ? -1 : issuers.findIndex(({ issuer }) => issuer === tokens.issuer);
  if (own !== -1)
    warn(['issuers', own], 'is not used: it is tokens.issuer, whose tokens are accepted without an entry');
  if (identity.token !== undefined && server.public === undefined)
    warn(['identity', 'token'], 'upstreams cannot fetch the keys, since server.public is absent');
  if (identity.methodOverride === 'forward')
    warn(
      ['identity', 'methodOverride'],
      'forward lets a client ask the upstream for another method than the one that was judged',
    );
  if (tokens !== undefined && tokens.service === undefined && identity.token === undefined)
    warn(['tokens'], 'nothing is signed with it, since identity.token is absent, and so is tokens.store');
  if (tokens?.service !== undefined && server.public === undefined && !tokens.service.direct)
    warn(['tokens'], 'no token can be had, since server.public is absent');
}

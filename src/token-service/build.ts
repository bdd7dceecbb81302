/** Composition: one configuration becomes the parts of the token service. Nothing here decides anything. */
import { randomUUID } from 'node:crypto';
import type { ProofKeys } from '../authz/dpop/proof-keys.js';
import type { VerifyProof } from '../authz/dpop/proof.js';
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { Config, TokenServiceConfig } from '../config/config.js';
import { createConfiguredProofVerifier } from '../proof-verifier.js';
import { createTokenSealer } from '../signing/sealed-token.js';
import { createJwtSigner } from '../signing/signer.js';
import type { AdminParts } from './admin/router.js';
import { TokenAdmin } from './admin/token-admin.js';
import { createAuthenticator } from './authenticator.js';
import { createGrants } from './build-grants.js';
import type { IntrospectionEndpointParts } from './endpoint/introspection.js';
import type { MetadataParts } from './endpoint/metadata.js';
import { createDirectTokens } from './direct-tokens.js';
import { createProofJudge } from './endpoint/proof.js';
import type { RevocationEndpointParts } from './endpoint/revocation.js';
import type { TokenEndpointParts } from './endpoint/token.js';
import { createFailureLimits } from './failure-limits.js';
import type { ClientKeys } from './grants/jwt-bearer.js';
import { createTokenIssuer } from './issued-tokens.js';
import { createOwnTokenJudge } from './own-tokens.js';
import { createScryptQueue } from './scrypt-queue.js';
import { createSecretHasher } from './secret-hasher.js';
import type { TokenServiceDeps } from './token-service-deps.js';

/** The parts of the service that one configuration makes. */
export interface TokenServiceParts {
  readonly token: TokenEndpointParts;
  readonly revocation: RevocationEndpointParts;
  readonly introspection: IntrospectionEndpointParts;
  readonly metadata: MetadataParts;
  readonly admin: AdminParts;
  /** For `tokens.direct`. */
  readonly direct: AskPersonalToken;
}

const MAX_SEALED_BYTES = 16_384;

/** Builds the parts. @param service of this very configuration */
export function buildTokenService(config: Config, deps: TokenServiceDeps): TokenServiceParts {
  const { tokens } = config;
  if (tokens?.service === undefined) throw new TypeError('the token service is not configured');
  const { service } = tokens;
  const { store, revocations, clock, logger, metrics } = deps;
  const nowS = (): number => Math.floor(clock.now() / 1000);
  const issuer = createTokenIssuer({
    issuer: tokens.issuer,
    audiences: tokens.audiences,
    ttlMs: service.ttl,
    format: service.format,
    signer: createJwtSigner(tokens.keys),
    sealer:
      service.sealing === undefined
        ? undefined
        : createTokenSealer({ secrets: service.sealing.secrets, maxBytes: MAX_SEALED_BYTES }),
    clock,
    randomId: randomUUID,
  });
  const authenticators = createAuthenticators(service, deps);
  const judgeOwnToken = createOwnTokenJudge({ issuer, store, revocations, nowS });
  const common = { judgeOwnToken, prefix: service.prefix, logger };
  const hasBootstrap = service.bootstrapAdmin !== undefined;
  const verifyProof = verifyProofOf(config, deps.proofKeys);
  const grants = createGrants(config, { ...deps, authenticator: authenticators.limited, judgeOwnToken });
  return {
    token: {
      grants,
      issuer,
      judgeProof: createProofJudge({ issuer: tokens.issuer, verifyProof, replay: deps.replay, clock }),
      untilIssuable: (clientId) => revocations.untilIssuable(clientId),
      logger,
      metrics,
    },
    revocation: {
      ...common,
      authenticator: authenticators.limited,
      tokens: authenticators.unlimited,
      store,
      revocations,
      clock,
    },
    introspection: {
      ...common,
      authenticator: authenticators.limited,
      tokens: authenticators.unlimited,
      issuer: tokens.issuer,
      hasBootstrap,
    },
    metadata: {
      issuer: tokens.issuer,
      grantTypes: [...grants.keys()],
      dpopAlgorithms: config.dpop.mode === 'off' ? undefined : config.dpop.algorithms,
      takesIdentityAssertions:
        service.grants.includes('jwt_bearer') && service.trust.some(({ profile }) => profile === 'id-jag'),
    },
    admin: {
      ...common,
      authenticator: authenticators.limited,
      hasBootstrap,
      store,
      metrics,
      admin: new TokenAdmin({
        store,
        hasher: authenticators.hasher,
        revocations,
        prefix: service.prefix,
        ttlMs: service.ttl,
        isClient: (name) => isClient(name, service, deps.clientKeys),
        clock,
      }),
    },
    direct: createDirectTokens({
      authenticator: authenticators.direct,
      revocations,
      issuer: tokens.issuer,
      audiences: tokens.audiences,
      clock,
      logger,
    }),
  };
}

/** Secrets of Checks are hashed in a queue of their own, so that a flood of them leaves the endpoint alone. */
function createAuthenticators(service: TokenServiceConfig, { store, clock, logger }: TokenServiceDeps) {
  const { cost, blockSize: r, parallelization: p, concurrency, queue } = service.scrypt;
  const hasherOf = () =>
    createSecretHasher({
      cost: { ln: Math.log2(cost), r, p },
      queue: createScryptQueue({ concurrency, queue }),
      clock,
    });
  const hasher = hasherOf();
  const { failures, window: windowMs } = service.limits;
  const common = { store, prefix: service.prefix, bootstrapPhc: service.bootstrapAdmin, clock, logger };
  return {
    hasher,
    limited: createAuthenticator({
      ...common,
      hasher,
      limits: createFailureLimits({ failures, windowMs, clock }),
    }),
    unlimited: createAuthenticator({ ...common, hasher, limits: undefined }),
    direct: createAuthenticator({
      ...common,
      hasher: service.direct ? hasherOf() : hasher,
      limits: undefined,
    }),
  };
}

function verifyProofOf({ dpop }: Config, keys: ProofKeys): VerifyProof | undefined {
  if (dpop.mode === 'off') return undefined;
  return createConfiguredProofVerifier(dpop, {
    // The judge of the endpoint hands over the host of `tokens.issuer`, never that of the request.
    originsOfHost: (host) => [`https://${host}`, `http://${host}`],
    keys,
  });
}

function isClient(name: string, { trust }: TokenServiceConfig, clientKeys: ClientKeys | undefined): boolean {
  return clientKeys?.find(name) !== undefined || trust.some(({ client }) => client === name);
}

/**
 * Composition: one configuration becomes one Gate. Nothing here decides anything; it only connects the parts.
 */
import type { Gate } from './guard/guard.js';
import { createCredentialFinder, type CredentialSource } from './authz/credentials.js';
import { createOriginsOfHost } from './authz/dpop/origins.js';
import type { ProofKeys } from './authz/dpop/proof-keys.js';
import { createIdentityHeaders } from './authz/identity/headers.js';
import type { IdentityTokenIssuer } from './authz/identity/token.js';
import { createMetadata } from './authz/metadata.js';
import { createCertificateReader } from './authz/mtls/certificate.js';
import { createPipeline } from './authz/pipeline.js';
import { compilePolicies, type CompileCondition } from './authz/policy/compile.js';
import { createRefusalBuilder } from './authz/refusal.js';
import { createLooseCheck } from './authz/loose-routes.js';
import { createRouter, type RouteSpec } from './authz/routes.js';
import { createAdmitStage } from './authz/stages/admit.js';
import { createCheckRevocationStage, type KnownRevocations } from './authz/stages/check-revocation.js';
import { createAuthorizeStage } from './authz/stages/authorize.js';
import { createFindCredentialStage } from './authz/stages/find-credential.js';
import { createIssueIdentityStage } from './authz/stages/issue-identity.js';
import { createSelectPolicyStage } from './authz/stages/select-policy.js';
import { createSenderConstraintStage } from './authz/stages/sender-constraint.js';
import { createSpendProofStage } from './authz/stages/spend-proof.js';
import { createVerifyTokenStage } from './authz/stages/verify-token.js';
import type { AskPersonalToken } from './authz/token/personal.js';
import type { TokenCache } from './authz/token/token-cache.js';
import { createTokenVerifier } from './authz/token/verifier.js';
import { createShadowComparison, type ShadowDifference } from './authz/shadow.js';
import type { AuthzRequest, Decision, GateMetrics, Policy, Stage } from './authz/types.js';
import { createUpstreamBuilder } from './authz/upstream.js';
import type { Config, CredentialPlaceConfig, IssuerConfig } from './config/config.js';
import type { Introspector } from './introspection/types.js';
import type { IssuerKeys } from './jwks/types.js';
import type { Clock } from './ports.js';
import { createPartialChecks, type PartialChecks } from './partial-checks.js';
import { createConfiguredProofVerifier } from './proof-verifier.js';
import { resourceMetadataUrl } from './protected-resource.js';
import type { ReplayStore } from './stores/replay-store.js';
import { createTokenKinds } from './token-kinds.js';

/** What outlives a configuration and is passed from one gate to the next. */
export interface GateParts {
  keysOf(issuer: IssuerConfig): IssuerKeys;
  /** undefined: the issuer is not asked about tokens. */
  introspectorOf(issuer: IssuerConfig): Introspector | undefined;
  /** Of `tokens.keys`; undefined: nothing is issued here. */
  readonly ownKeys: IssuerKeys | undefined;
  /** Asks the process that owns the token store. */
  readonly askPersonalToken: AskPersonalToken;
  /** undefined: no policy has a condition. */
  readonly compileCondition: CompileCondition | undefined;
  /** undefined: tokens are verified every time. */
  readonly tokenCache: TokenCache | undefined;
  /** undefined: revocation is off. */
  readonly revocations: KnownRevocations | undefined;
  readonly replay: ReplayStore;
  readonly proofKeys: ProofKeys;
  /** undefined: no identity token is configured. */
  readonly identityTokens: IdentityTokenIssuer | undefined;
  readonly metrics: GateMetrics;
  readonly clock: Clock;
  onShadowDifference(difference: ShadowDifference): void;
  onInternalError(error: unknown, request: AuthzRequest): void;
}

/** A gate with the policies and the single steps that it is made of. */
export interface BuiltGate extends Gate {
  readonly policies: ReadonlyMap<string, Policy>;
  readonly checks: PartialChecks;
}

/** A shadow's look-ups and proofs are not counted. */
const UNCOUNTED: Pick<GateMetrics, 'tokenCache' | 'dpopProof'> = {
  tokenCache: () => undefined,
  dpopProof: () => undefined,
};

/**
 * Builds the gate of a configuration.
 *
 * @param config validated; the same one always gives the same decisions
 * @throws PolicyError, SigningKeyError, KeySourceError: what only shows while building
 */
export function buildGate(config: Config, parts: GateParts): BuiltGate {
  const policies = compilePolicies(config.policies, parts.compileCondition);
  const identity = createIdentityHeaders(config.identity.headers);
  const judging = judgingStages(config, parts, parts.metrics);
  const routes = routesOf(config, policies);
  const spendProof = createSpendProofStage({
    store: parts.replay,
    onUnavailable: config.replay.onUnavailable,
    metrics: parts.metrics,
  });
  return {
    policies,
    checks: checksOf(config, parts, spendProof),
    pipeline: createPipeline({
      stages: [
        createSelectPolicyStage({
          policies,
          authorities: config.server.authorities,
          router: routes === undefined ? undefined : createRouter(routes),
          createLooseCheck: routes && (() => createLooseCheck(routes)),
        }),
        ...judging,
        spendProof,
        createIssueIdentityStage({ identity, tokens: parts.identityTokens }),
      ],
      upstreamOf: createUpstreamBuilder({
        identity,
        tokenHeader: config.identity.token?.header,
        credential: config.identity.credential,
        sources: config.credentials.map(sourceOf),
        methodOverride: config.identity.methodOverride,
        conditionHeaders: [...policies.values()].flatMap(({ conditionHeaders }) => conditionHeaders),
      }),
      refusalOf: createRefusalBuilder({
        dpop: config.dpop.mode === 'off' ? undefined : { algorithms: config.dpop.algorithms },
        resourceMetadata: resourceMetadataUrl(config),
        failure: config.server.failure,
      }),
      metadataOf: createMetadata(config.identity.metadata ? identity : undefined),
      concluded: shadowsOf(config, policies, parts),
      onInternalError: (error, request) => parts.onInternalError(error, request),
    }),
  };
}

/** Nothing is built for shadows where no policy has one. */
function shadowsOf(
  config: Config,
  policies: ReadonlyMap<string, Policy>,
  parts: GateParts,
): (decision: Decision) => void {
  if (![...policies.values()].some(({ shadow }) => shadow !== undefined)) return () => undefined;
  return createShadowComparison({
    stages: judgingStages(config, parts, UNCOUNTED),
    metrics: parts.metrics,
    onDifference: (difference) => parts.onShadowDifference(difference),
  });
}

/** From the policy's name to its verdict: the stages that change nothing outside their context. */
function judgingStages(
  config: Config,
  parts: GateParts,
  metrics: Pick<GateMetrics, 'tokenCache' | 'dpopProof'>,
): Stage[] {
  const sources = config.credentials.map(sourceOf);
  const { maxTokenBytes, multipleCredentials: multiple } = config;
  return [
    createAdmitStage({
      queryParameters: sources.flatMap((source) => ('query' in source ? [source.query] : [])),
    }),
    createFindCredentialStage(createCredentialFinder({ sources, multiple, maxTokenBytes })),
    tokenStageOf(config, parts, metrics),
    ...revocationOf(config, parts),
    senderConstraintOf(config, parts, metrics),
    createAuthorizeStage(),
  ];
}

function tokenStageOf(config: Config, parts: GateParts, metrics: Pick<GateMetrics, 'tokenCache'>): Stage {
  const { tokenCache: cache, clock } = parts;
  return createVerifyTokenStage(
    createTokenVerifier({ kinds: createTokenKinds(config, parts), cache, metrics, clock }),
  );
}

/** The single steps, with memories of their own beside what all share. */
function checksOf(config: Config, parts: GateParts, spendProof: Stage): PartialChecks {
  return createPartialChecks({
    verifyToken: tokenStageOf(config, parts, parts.metrics),
    checkRevocation: revocationOf(config, parts),
    verifyProof: createConfiguredProofVerifier(config.dpop, {
      originsOfHost: (origin) => [origin],
      keys: parts.proofKeys,
    }),
    spendProof,
    maxTokenBytes: config.maxTokenBytes,
  });
}

/** Nothing where revocation is off. */
function revocationOf({ revocation }: Config, { revocations }: GateParts): Stage[] {
  if (revocations === undefined) return [];
  return [
    createCheckRevocationStage({
      revocations,
      maxStaleMs: revocation?.maxStale ?? 0,
      onUnavailable: revocation?.onUnavailable ?? 'deny',
    }),
  ];
}

function senderConstraintOf(
  { dpop, mtls }: Config,
  parts: GateParts,
  metrics: Pick<GateMetrics, 'dpopProof'>,
): Stage {
  return createSenderConstraintStage({
    mode: dpop.mode,
    verifyProof: createConfiguredProofVerifier(dpop, {
      originsOfHost: createOriginsOfHost(dpop.origins),
      keys: parts.proofKeys,
    }),
    readCertificate: createCertificateReader(mtls.certificate),
    metrics,
  });
}

/** No routes at all: the policy `default` judges, and the path is not looked at. */
function routesOf(config: Config, policies: ReadonlyMap<string, Policy>): readonly RouteSpec[] | undefined {
  if (config.routes.length === 0) return undefined;
  return config.routes.map(({ policy: name, ...pattern }) => {
    const policy = policies.get(name);
    if (policy === undefined) throw new Error(`a route names the unknown policy ${name}`);
    return { ...pattern, policy };
  });
}

function sourceOf({ header, prefix, cookie, query }: CredentialPlaceConfig): CredentialSource {
  if (header !== undefined) return { header, prefix };
  if (cookie !== undefined) return { cookie };
  if (query !== undefined) return { query };
  throw new Error('a place for credentials is empty');
}

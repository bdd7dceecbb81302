import { createProofKeys } from '../authz/dpop/proof-keys.js';
import type { Config } from '../config/config.js';
import { buildGate } from '../gate.js';
import type { Gate } from '../guard/guard.js';
import { createIdentityTokens, loadConditions } from '../runtime/gate-parts.js';
import { createReplayMemory } from '../stores/replay-memory.js';
import { createTestIssuer, type TestIssuer } from './test-issuer.js';

/** The gate of a configuration without a network: its issuers have keys of the run, and time stands still. */
export interface TestGate {
  readonly gate: Gate;
  readonly issuers: ReadonlyMap<string, TestIssuer>;
  /** Makes an opaque token that the issuer calls active with these claims. */
  addOpaque(token: string, claims: object): void;
  /** What the shadow policy said since the last call. */
  takeShadow(): 'allow' | 'deny' | undefined;
}

const MAX_PROOFS = 10_000;
const UNCOUNTED = (): undefined => undefined;

/**
 * Builds it. Everything that judges is the product's own; replaced are the keys, the answers of introspection endpoints
 * and the clock. Revocations and personal access tokens are none.
 */
export async function createTestGate(config: Config, nowMs: number): Promise<TestGate> {
  const clock = { now: () => nowMs };
  const names = [...config.issuers, ...ownIssuerOf(config)];
  const issuers = new Map(names.map((one, index) => [one.issuer, createTestIssuer(one, index + 1)]));
  const keysOf = (issuer: string) => (issuers.get(issuer) as TestIssuer).keys;
  const opaque = new Map<string, string>();
  let shadow: 'allow' | 'deny' | undefined;
  const gate = buildGate(config, {
    keysOf: ({ issuer }) => keysOf(issuer),
    introspectorOf: ({ issuer, introspection }) =>
      introspection && {
        issuer,
        introspect: (token) => {
          const text = opaque.get(token);
          const untilMs = nowMs;
          return Promise.resolve(
            text === undefined ? { active: false, untilMs } : { active: true, text, untilMs },
          );
        },
      },
    ownKeys: config.tokens && keysOf(config.tokens.issuer),
    askPersonalToken: () => Promise.resolve({ retryAfterS: 1 }),
    compileCondition: await loadConditions(config),
    tokenCache: undefined,
    revocations: undefined,
    replay: createReplayMemory({ maxEntries: MAX_PROOFS, clock }),
    proofKeys: createProofKeys(),
    identityTokens: createIdentityTokens(config),
    metrics: {
      tokenCache: UNCOUNTED,
      dpopProof: UNCOUNTED,
      shadow: (_policy, _shadow, _live, candidate) => {
        shadow = candidate;
      },
    },
    clock,
    onShadowDifference: UNCOUNTED,
    onInternalError: UNCOUNTED,
  });
  return {
    gate,
    issuers,
    addOpaque: (token, claims) => void opaque.set(token, JSON.stringify(claims)),
    takeShadow: () => {
      const taken = shadow;
      shadow = undefined;
      return taken;
    },
  };
}

/** Tokens of our own are signed with EdDSA, ES256 or RS256; any of them will do here. */
function ownIssuerOf({ tokens }: Config) {
  return tokens === undefined
    ? []
    : [{ issuer: tokens.issuer, algorithms: ['ES256', 'EdDSA', 'RS256'] as const }];
}

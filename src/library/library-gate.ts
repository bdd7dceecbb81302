import { Denial } from '../authz/denial.js';
import { parseOrigin } from '../authz/dpop/origins.js';
import type { Policy } from '../authz/types.js';
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/problems.js';
import { authOf, type GateDecision } from '../fronts/node/auth.js';
import { libraryFront, type GateRequest } from '../fronts/node/front.js';
import { systemClock } from '../ports.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import type { GateServices } from './gate-services.js';
import type {
  Decider,
  DPoPUse,
  Gate,
  Introspection,
  KeySetReport,
  LogoutToken,
  MetricsRegistry,
  RevocationResult,
  TokenRequirements,
  ValidatedProof,
  ValidatedToken,
} from './gate-types.js';
import { introspectToken } from './introspect-token.js';
import { verifyLogout } from './verify-logout.js';
import { createKeptOptions } from './kept-options.js';
import { compileOptions, type ProtectOptions } from './protect-options.js';
import { TokenRefusedError } from './token-refused-error.js';

/** What a gate is made of. */
export interface LibraryGateParts {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly runtime: Runtime;
  /** undefined: no revocation, and no tokens of our own. */
  readonly services: GateServices | undefined;
}

const CLOSED = new Denial('overloaded');

/** The gate that `createGate` makes. */
export class LibraryGate implements Gate {
  readonly warnings: readonly string[];
  readonly #compiled = createKeptOptions(compileOptions);
  #closing: Promise<void> | undefined;

  constructor(private readonly parts: LibraryGateParts) {
    this.warnings = parts.warnings;
  }

  async decide(request: GateRequest, options: ProtectOptions = {}): Promise<GateDecision> {
    return this.decider(options)(() => request);
  }

  decider(options: ProtectOptions = {}): Decider {
    const { guard } = this.parts.runtime;
    const { policy, demands, demandsWhenSpent } = this.#compiled(options);
    if (policy !== undefined) this.#policy(policy);
    return (read, { isProofSpent = false } = {}) => {
      const checked = (): GateRequest => {
        if (this.#closing !== undefined) throw CLOSED;
        return read();
      };
      return guard.handle(
        libraryFront,
        { read: checked, policy, demands: isProofSpent ? demandsWhenSpent : demands },
        Infinity,
      );
    };
  }

  async validateToken(token: string, requirements: TokenRequirements = {}): Promise<ValidatedToken> {
    const { policy: name, demands } = this.#compiled(requirements);
    const named = name === undefined ? undefined : this.#policy(name);
    const policy = demands === undefined ? named : demands.on(named ?? NO_REQUIREMENTS);
    return this.#refusable(async () => {
      const { checks } = this.parts.runtime.gate;
      const verified = await checks.verifyToken(token, { policy, nowMs: systemClock.now() });
      return { ...authOf(verified), hash: verified.hash };
    });
  }

  async validateDPoP(proof: string, { method, url, token, spend = true }: DPoPUse): Promise<ValidatedProof> {
    const [, base = '', path = '/'] = /^(https?:\/\/[^/?#]*)([^?#]*)/i.exec(url) ?? [];
    const origin = parseOrigin(base);
    if (origin === undefined) throw new TypeError('url must be an absolute http or https URL');
    return this.#refusable(async () => {
      const { checks } = this.parts.runtime.gate;
      const use = { method, origin, path: path === '' ? '/' : path, token, isSpent: spend };
      const verified = await checks.verifyProof(proof, { ...use, nowMs: systemClock.now() });
      const { jkt, issuedAtMs, freshNonce } = verified;
      return { jkt, issuedAt: issuedAtMs / 1000, freshNonce };
    });
  }

  introspect(token: string): Promise<Introspection> {
    const { config, runtime } = this.parts;
    return this.#refusable(() => introspectToken(token, config, runtime.introspect));
  }

  async revoke(token: string, options: Parameters<Gate['revoke']>[1] = {}): Promise<RevocationResult> {
    const { config, services } = this.parts;
    const { revokeToken } = await import('./revoke-token.js');
    return revokeToken(token, { config, services, keys: this.parts.runtime.keys, ...options });
  }

  async invalidateJwks(
    issuer?: string,
    { drop = false }: { readonly drop?: boolean } = {},
  ): Promise<readonly KeySetReport[]> {
    const reports = await this.parts.runtime.invalidate(issuer, drop);
    if (reports === undefined) throw new Error('the issuer is not configured');
    return reports as readonly KeySetReport[];
  }

  verifyLogoutToken(token: string): Promise<LogoutToken> {
    const { config, runtime } = this.parts;
    return this.#refusable(() => verifyLogout(token, config, (issuer) => runtime.keys.keysOf(issuer)));
  }

  metrics(): MetricsRegistry {
    return this.parts.runtime.metrics.registry;
  }

  readiness(): ReturnType<Gate['readiness']> {
    return this.parts.runtime.readiness();
  }

  close(): Promise<void> {
    const { services, runtime } = this.parts;
    this.#closing ??= (async () => {
      await services?.close();
      await runtime.close();
    })();
    return this.#closing;
  }

  /** @throws ConfigError where the configuration has no such policy */
  #policy(name: string): Policy {
    const policy = this.parts.runtime.gate.policies.get(name);
    if (policy === undefined)
      throw new ConfigError([
        { path: 'policy', text: 'names a policy that the configuration does not have' },
      ]);
    return policy;
  }

  async #refusable<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new Error('the gate is closed');
    try {
      return await run();
    } catch (error) {
      throw error instanceof Denial ? new TokenRefusedError(error) : error;
    }
  }
}

/** What a token is held to where no policy is named: the requirements of the call alone. */
const NO_REQUIREMENTS: Policy = Object.freeze({
  name: 'none',
  access: 'required',
  issuers: undefined,
  challengeScope: '',
  requirements: [],
  conditionHeaders: [],
  senderConstraint: undefined,
  consumeProof: true,
  corsPreflight: false,
  corsOrigins: new Set<string>(),
  errors: 'oauth',
  shadow: undefined,
});

/** What a handler asks for, in the words of its code. */
import { createDemands } from '../authz/policy/demands.js';
import type { Demands } from '../authz/types.js';
import { checkAgainst } from '../config/check-schema.js';
import { ConfigError, ProblemReport } from '../config/problems.js';
import { demandsSchema } from '../config/schema/policies.js';

/** One, or all of a list, or `all` and `any` of lists. */
export type OneOrMore =
  | string
  | readonly string[]
  | { readonly all?: readonly string[] | undefined; readonly any?: readonly string[] | undefined };

/** What a handler asks for. All of it adds to the policy that judges; only `optional` asks for less. */
export interface ProtectOptions {
  /** Name of a policy of the configuration. Absent: the routes of the configuration choose, or `default` judges. */
  readonly policy?: string | undefined;
  /** true: no credential is needed. One that is there must be good. */
  readonly optional?: boolean | undefined;
  /** Scopes that the token must have; a list means all of them. */
  readonly scopes?: OneOrMore | undefined;
  /** Roles that the token must have; a list means all of them. `claims`: where they are looked for. */
  readonly roles?: (OneOrMore & { readonly claims?: readonly string[] | undefined }) | OneOrMore | undefined;
  /** The token must be bound to its sender, in this way. */
  readonly senderConstraint?: 'dpop' | 'mtls' | 'any' | undefined;
  /** How strong and how recent the authentication must be (RFC 9470). `maxAge` as a duration, such as `15m`. */
  readonly stepUp?:
    | { readonly acr?: readonly string[] | undefined; readonly maxAge?: string | number | undefined }
    | undefined;
  /** Body of a denial: OAuth JSON, RFC 9457, or RFC 7644. Absent: as the policy says. */
  readonly errors?: 'oauth' | 'problem' | 'scim' | undefined;
}

/** Options, compiled. */
export interface CompiledOptions {
  readonly policy: string | undefined;
  /** undefined: the policy alone. */
  readonly demands: Demands | undefined;
  /** For a request whose proof was used up by an earlier decision on it. */
  readonly demandsWhenSpent: Demands;
}

const KEYS = ['optional', 'senderConstraint', 'stepUp', 'errors'] as const;

/**
 * Compiles options, with the checks and messages of policies.
 *
 * @throws ConfigError
 */
export function compileOptions(options: ProtectOptions): CompiledOptions {
  const { policy, scopes, roles, ...rest } = options;
  const written: Record<string, unknown> = { ...rest, scopes: listsOf(scopes), roles: listsOf(roles) };
  for (const key of Object.keys(written)) if (written[key] === undefined) delete written[key];
  const report = new ProblemReport();
  const spec = checkAgainst(demandsSchema, written, report);
  for (const name of ['scopes', 'roles'] as const)
    if (isWithoutLists(written[name])) report.add([name], 'must have all, any or both');
  if (isEmpty(written.stepUp)) report.add(['stepUp'], 'must have acr, maxAge or both');
  const problems = report.list();
  if (problems.length > 0 || spec === undefined) throw new ConfigError(problems);
  const hasDemands = scopes !== undefined || roles !== undefined || KEYS.some((key) => key in written);
  return {
    policy,
    demands: hasDemands ? createDemands(spec) : undefined,
    demandsWhenSpent: createDemands(spec, { isSpent: true }),
  };
}

function listsOf(wanted: unknown): unknown {
  if (typeof wanted === 'string') return { all: [wanted] };
  return Array.isArray(wanted) ? { all: wanted as unknown[] } : wanted;
}

function isWithoutLists(written: unknown): boolean {
  if (typeof written !== 'object' || written === null) return false;
  const { all, any } = written as { all?: unknown; any?: unknown };
  return all === undefined && any === undefined;
}

function isEmpty(written: unknown): boolean {
  return typeof written === 'object' && written !== null && Object.keys(written).length === 0;
}

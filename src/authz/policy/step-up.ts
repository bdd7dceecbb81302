/** How strongly, and how recently, the user must have authenticated (RFC 9470). */
import { Denial, type DenialDetails } from '../denial.js';
import type { Requirement } from '../types.js';

/** One of these classes, and not longer ago than this. */
export interface StepUpSpec {
  readonly acr?: readonly string[] | undefined;
  /** Of `auth_time`, milliseconds. Named as in the configuration, which is passed in unchanged. */
  readonly maxAge?: number | undefined;
}

/** How far an issuer's clock may be ahead of ours before its `auth_time` is refused. */
const CLOCK_TOLERANCE_MS = 30_000;

/**
 * Compiles a step-up requirement. A token without the claims that are asked for (`acr`, `auth_time`), or with ones
 * of a wrong type, does not meet it.
 *
 * @throws Denial step_up_required, with what would be sufficient (from the requirement it makes)
 * @see RFC 9470 sections 3 and 5
 */
export function createStepUpRequirement({ acr, maxAge: maxAgeMs }: StepUpSpec): Requirement {
  // An empty requirement would let everybody pass. The configuration refuses it as well.
  if (acr === undefined && maxAgeMs === undefined) throw new Error('a step-up needs acr or maxAge');
  const wanted: DenialDetails = {
    ...(acr === undefined ? {} : { acrValues: acr.join(' ') }),
    ...(maxAgeMs === undefined ? {} : { maxAgeS: Math.floor(maxAgeMs / 1000) }),
  };
  const deny = (requirement: string, expected: unknown, found: unknown): Denial =>
    new Denial('step_up_required', { ...wanted, mismatch: { requirement, expected, found } });
  return ({ nowMs }, { claims }) => {
    if (acr !== undefined && !isOneOf(claims.acr, acr)) throw deny('stepUp.acr', acr, claims.acr);
    if (maxAgeMs !== undefined && !isRecent(claims.auth_time, { nowMs, maxAgeMs })) {
      throw deny('stepUp.maxAge', `${maxAgeMs / 1000}s`, ageOf(claims.auth_time, nowMs));
    }
  };
}

/** For the log: an age is easier to read than a time. */
function ageOf(authTime: unknown, nowMs: number): unknown {
  return typeof authTime === 'number' ? `${Math.round(nowMs / 1000 - authTime)}s` : authTime;
}

function isOneOf(value: unknown, wanted: readonly string[]): boolean {
  return typeof value === 'string' && wanted.includes(value);
}

function isRecent(authTime: unknown, { nowMs, maxAgeMs }: { nowMs: number; maxAgeMs: number }): boolean {
  if (typeof authTime !== 'number' || !Number.isFinite(authTime)) return false;
  const ageMs = nowMs - authTime * 1000;
  return ageMs <= maxAgeMs && ageMs >= -CLOCK_TOLERANCE_MS;
}

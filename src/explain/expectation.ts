import { DENIALS } from '../authz/denial.js';

/** What `--expect` compares. */
export interface Outcome {
  /** allow, deny, error, or unknown where the input does not say enough. */
  readonly decision: string;
  readonly reason: string;
  readonly response: { readonly http?: number };
}

/** Reasons of an allow. */
const ALLOW_REASONS = ['allowed', 'anonymous'];

/** @returns whether this can be expected at all: allow, deny, a reason, or an HTTP status */
export function isExpectation(text: string): boolean {
  return (
    text === 'allow' ||
    text === 'deny' ||
    /^[1-5]\d\d$/.test(text) ||
    ALLOW_REASONS.includes(text) ||
    Object.hasOwn(DENIALS, text)
  );
}

/**
 * Compares an outcome with what was expected. `deny` is a refusal of this request: a 5xx, which says that the gate
 * could not decide, is none, so that a dead issuer does not pass for a working policy.
 */
export function meetsExpectation({ decision, reason, response }: Outcome, expected: string): boolean {
  if (expected === 'allow' || expected === 'deny') return decision === expected;
  if (/^\d/.test(expected)) return String(response.http) === expected;
  return decision !== 'unknown' && reason === expected;
}

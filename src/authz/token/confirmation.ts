import { isSha256Text } from '../../jws/base64url.js';
import { Denial } from '../denial.js';
import type { Confirmation } from '../types.js';

/**
 * Asserts that `cnf` of a token is understood. Only the two kinds that are enforced are known, and both together are both enforced: anything else
 * would make a bound token pass as an unbound one. Does not compare them with anything.
 *
 * @param cnf of a verified payload; undefined where there is none
 * @returns undefined for a token without `cnf`
 * @throws Denial unsupported_confirmation
 * @see RFC 7800 section 3.1, RFC 9449 section 6.1, RFC 8705 section 3.1
 */
export function assertConfirmation(cnf: unknown): Confirmation | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) throw unsupported();
  const confirmation: { jkt?: string; x5tS256?: string } = {};
  for (const [name, value] of Object.entries(cnf)) {
    if (!isSha256Text(value)) throw unsupported();
    if (name === 'jkt') confirmation.jkt = value;
    else if (name === 'x5t#S256') confirmation.x5tS256 = value;
    else throw unsupported();
  }
  if (confirmation.jkt === undefined && confirmation.x5tS256 === undefined) throw unsupported();
  return confirmation;
}

function unsupported(): Denial {
  return new Denial('unsupported_confirmation');
}

import type { SignatureAlgorithm } from '../../jwk/types.js';
import type { JoseHeader } from '../../jws/header.js';
import type { JsonObject } from '../../ports.js';
import { Denial } from '../denial.js';
import type { TokenProfile, TokenRules } from './types.js';

/** `typ` in lower case; undefined: absent (RFC 9068 4, RFC 8725 3.11). */
const TYPES: Readonly<Record<TokenProfile, ReadonlySet<string | undefined>>> = {
  compatible: new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt']),
  rfc9068: new Set(['at+jwt', 'application/at+jwt']),
};

/**
 * Holds an access token's header to its issuer's rules: `alg` in the list, `typ` by profile, no embedded `jwk`. Keys come
 * from the issuer's set alone: `jku`, `x5u`, `x5c` and `x5t` are never read, and pass, since real issuers send them; a
 * `jwk` belongs to a proof and to no access token, so it is refused.
 *
 * @param header from `readJoseHeader`
 * @param against the same header, whole, and the issuer's rules
 * @returns the algorithm, now one of the issuer's
 * @throws Denial unsupported_algorithm, invalid_token_type, invalid_token_header
 * @see RFC 8725 sections 3.1 and 3.11, RFC 9068 section 4
 */
export function assertTokenHeader(
  header: JoseHeader,
  { raw, rules }: { readonly raw: JsonObject; readonly rules: TokenRules },
): SignatureAlgorithm {
  const alg = header.alg as SignatureAlgorithm;
  if (!rules.algorithms.has(alg)) throw new Denial('unsupported_algorithm');
  if (raw.jwk !== undefined) throw new Denial('invalid_token_header');
  if (!TYPES[rules.profile].has(header.typ)) throw new Denial('invalid_token_type');
  return alg;
}

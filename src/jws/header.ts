import type { JsonObject } from '../ports.js';
import { JwsRejection } from './jws-rejection.js';

/** The members of a JWS header that decide something, with their types checked. Their values are untrusted. */
export interface JoseHeader {
  /** As in the configuration's words: `Ed25519` is read as `EdDSA`. Not compared with any list yet. */
  readonly alg: string;
  readonly kid: string | undefined;
  /** In lower case, as media types compare; with its `application/`, where it was sent so. */
  readonly typ: string | undefined;
}

/** A longer value is not a name, and would burden logs and look-ups. */
export const MAX_KID_LENGTH = 256;

/**
 * Members that change what is signed or how: extensions (RFC 7515 4.1.11), the unencoded payload (RFC 7797),
 * compression, and what belongs to encryption. Present means refused, whatever the value.
 */
const REFUSED = ['b64', 'zip', 'enc', 'p2c', 'p2s', 'epk', 'apu', 'apv', 'iv', 'tag'] as const;

/**
 * Checks the header of a JWS as any kind of it must be: `alg` a string, no `crit`, `b64`, `zip` or encryption members,
 * `kid` and `typ` bounded strings where present. Does not compare `alg` or `typ` with a list, and does not look at
 * `jwk`, `jku`, `x5u`, `x5c` and `x5t`: the caller refuses or ignores them; none of them may be trusted.
 *
 * @param header from the strict reader, unverified
 * @throws JwsRejection
 * @see RFC 7515 section 4.1, RFC 8725 section 3, RFC 9864 section 2.2
 */
export function readJoseHeader(header: JsonObject): JoseHeader {
  const { alg, kid, typ, crit, cty } = header;
  if (crit !== undefined) throw new JwsRejection('critical_header');
  for (const name of REFUSED) if (header[name] !== undefined) throw new JwsRejection('unsupported_header');
  if (typeof alg !== 'string' || alg === '') throw new JwsRejection('bad_algorithm');
  if (kid !== undefined && !isShortString(kid)) throw new JwsRejection('bad_kid');
  if (typ !== undefined && !isShortString(typ)) throw new JwsRejection('bad_type');
  if (cty !== undefined && typeof cty !== 'string') throw new JwsRejection('bad_type');
  return { alg: alg === 'Ed25519' ? 'EdDSA' : alg, kid, typ: typ?.toLowerCase() };
}

function isShortString(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_KID_LENGTH;
}

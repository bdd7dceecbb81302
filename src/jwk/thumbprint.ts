import { hash } from 'node:crypto';
import { JwkRejection } from './jwk-rejection.js';

/** The members that make a public key, in the order RFC 7638 3.3 hashes them. */
const REQUIRED = new Map<unknown, readonly string[]>([
  ['RSA', ['e', 'kty', 'n']],
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
]);

/**
 * Computes the SHA-256 thumbprint of a public JWK from the members that make the key, and no other. Does not check that
 * they are a good key: import it first. Symmetric keys have none here.
 *
 * @param jwk untrusted
 * @returns 43 characters of base64url, as in `cnf.jkt`
 * @throws JwkRejection where a required member is missing or no string
 * @see RFC 7638 section 3, RFC 8037 section 2
 */
export function jwkThumbprint(jwk: object): string {
  const members = jwk as Readonly<Record<string, unknown>>;
  const names = REQUIRED.get(Object.hasOwn(jwk, 'kty') ? members.kty : undefined);
  if (names === undefined) throw new JwkRejection('unsupported_key_type');
  const pairs = names.map((name) => {
    const value = Object.hasOwn(jwk, name) ? members[name] : undefined;
    if (typeof value !== 'string') throw new JwkRejection('malformed_member');
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
  return hash('sha256', `{${pairs.join(',')}}`, 'base64url');
}

import type { VerificationKey } from '../jwk/types.js';
import type { JsonObject } from '../ports.js';
import type { ClientKeyDirectory } from './client-key-directory.js';
import type { IssuerKeys } from './types.js';

/** The generation of a client that has no keys. */
const NO_CLIENT = -1;
const NO_KEYS: readonly VerificationKey[] = [];

/**
 * The keys of an issuer whose tokens are signed by its clients: a claim says which client, and that client's keys alone
 * are tried. The claim is not verified when it is read, and chooses among configured files only.
 *
 * @param issuer from the configuration
 * @param claim whose value names the client
 */
export function createClientIssuerKeys(
  issuer: string,
  claim: string,
  directory: Pick<ClientKeyDirectory, 'find'>,
): IssuerKeys {
  return {
    issuer,
    generation: 0,
    isUsable: () => true,
    // Without a claim that chooses there is no key.
    find: () => NO_KEYS,
    forClaims(claims) {
      const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
      return typeof value === 'string' && directory.find(value) !== undefined
        ? createKeysOfClient(issuer, value, directory)
        : undefined;
    },
  };
}

/** Of one client, as its files are at the moment of each question. */
function createKeysOfClient(
  issuer: string,
  client: string,
  directory: Pick<ClientKeyDirectory, 'find'>,
): IssuerKeys & { readonly session: JsonObject } {
  return {
    issuer,
    get generation() {
      return directory.find(client)?.generation ?? NO_CLIENT;
    },
    isUsable: () => true,
    find: (_kid, alg) =>
      directory.find(client)?.keys.filter(({ algorithms }) => algorithms.some((one) => one === alg)) ??
      NO_KEYS,
    get session() {
      return directory.find(client)?.session ?? {};
    },
  };
}

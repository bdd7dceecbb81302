import type { AsymmetricAlgorithm, SymmetricAlgorithm } from '../jwk/types.js';

/** Keys that are fetched from the issuer. */
export type FetchedSource =
  | {
      readonly kind: 'discovery';
      /** Where the metadata is; undefined: OpenID discovery, then RFC 8414. */
      readonly metadataUrl?: string;
    }
  | { readonly kind: 'jwksUri'; readonly jwksUri: string };

/** One entry of a `keys` list: a public key as PEM, or a shared secret. Files have been read in. */
export type StaticKeyEntry =
  | {
      readonly kid?: string | undefined;
      /** undefined: every algorithm that fits the key. */
      readonly alg?: AsymmetricAlgorithm | undefined;
      readonly pem: string;
    }
  | { readonly kid?: string | undefined; readonly alg: SymmetricAlgorithm; readonly secret: string };

/** Keys that the configuration holds. */
export type StaticSource =
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly unknown[] } }
  | { readonly kind: 'keys'; readonly keys: readonly StaticKeyEntry[] };

/** Where the keys of an issuer come from. Trusted: it is the operator's. */
export type KeySource = FetchedSource | StaticSource;

/** What is needed to have an issuer's keys. */
export interface IssuerKeysConfig {
  /** Compared byte for byte with `iss`. */
  readonly issuer: string;
  readonly source: KeySource;
}

/**
 * Is this source asked over the network?
 *
 * @param source from the configuration
 */
export function isFetchedSource(source: KeySource): source is FetchedSource {
  return source.kind === 'discovery' || source.kind === 'jwksUri';
}

/** The headers that name the caller to the upstream, made from the claims of a verified token. */
import type { HeaderPair, Metadata, VerifiedToken } from '../types.js';
import { compileClaimPath, type ClaimReader } from '../policy/claim-path.js';
import { Denial } from '../denial.js';
import { perKeptToken } from '../kept.js';
import { headerTextOf, type ClaimForm } from './encode.js';

/** Header → claim, or claim and form. A dotted name walks objects. */
export type IdentitySpec = Readonly<
  Record<string, string | { readonly claim: string; readonly as?: 'csv' | 'json' | undefined }>
>;

/** Identity headers, compiled. */
export interface IdentityHeaders {
  /** All of their names, in lower case. */
  readonly names: readonly string[];
  /**
   * @returns the headers of a token, and the same list for a token that is kept; those of absent claims are left out
   * @throws Denial invalid_claims where they cannot be expressed in full
   */
  of(token: VerifiedToken): readonly HeaderPair[];
  /** @returns claim → value, for dynamic metadata; absent claims are left out */
  metadataOf(token: VerifiedToken): Metadata;
}

interface IdentityHeader {
  readonly name: string;
  readonly claim: string;
  readonly read: ClaimReader;
  readonly form: ClaimForm;
}

/** All identity headers together, bytes. Envoy answers 500 at about 60 KiB, the client's own headers included. */
const MAX_TOTAL_BYTES = 24_576;

const TOO_LARGE = new Denial('invalid_claims');

/** @param spec validated configuration: no target of identityHeaderProblem() */
export function createIdentityHeaders(spec: IdentitySpec): IdentityHeaders {
  const headers = Object.entries(spec).map(([name, value]): IdentityHeader => {
    const { claim, as } = typeof value === 'string' ? { claim: value, as: undefined } : value;
    return { name: name.toLowerCase(), claim, read: compileClaimPath(claim), form: as ?? 'text' };
  });
  return {
    names: Object.freeze(headers.map(({ name }) => name)),
    of: perKeptToken((token) => pairsOf(headers, token)),
    metadataOf: (token) => metadataOf(headers, token),
  };
}

function pairsOf(headers: readonly IdentityHeader[], token: VerifiedToken): readonly HeaderPair[] {
  const pairs: HeaderPair[] = [];
  let bytes = 0;
  for (const { name, read, form } of headers) {
    const value = headerTextOf(read(token.claims), form);
    if (value === undefined) continue;
    bytes += name.length + value.length;
    if (bytes > MAX_TOTAL_BYTES) throw TOO_LARGE;
    pairs.push([name, value]);
  }
  return pairs;
}

function metadataOf(headers: readonly IdentityHeader[], token: VerifiedToken): Metadata {
  const metadata: Record<string, unknown> = {};
  for (const { claim, read } of headers) {
    const value = read(token.claims);
    if (value !== undefined && value !== null) metadata[claim] = value;
  }
  return metadata;
}

import type { IssuerClient } from '../introspection/issuer-client.js';
import type { RevokeAtIssuer } from './admin-routes.js';
import { readClaims } from './revocation-factory.js';

/** An issuer at which we are a client, as introspection is configured there. */
export interface RevokingIssuer {
  readonly issuer: string;
  /** Opaque tokens that begin so are this issuer's. */
  readonly tokenPrefix: string | undefined;
  /** Opens the client; it must be closed. */
  open(): { readonly client: IssuerClient; close(): Promise<void> };
}

/** Whose tokens can be revoked at their source. */
export interface RevokeAtIssuerOptions {
  readonly issuers: () => readonly RevokingIssuer[];
  /** `iss` and prefix of our own tokens: there is nobody else to ask. */
  readonly own: () => { readonly issuer: string; readonly prefix: string | undefined } | undefined;
}

/**
 * Creates the function that revokes a token at its issuer: at the one that a JWT names, for others as introspection finds
 * it. A token is sent to nobody else, and only where we are a client.
 *
 * @see RFC 7009 section 2
 */
export function createRevokeAtIssuer({ issuers, own }: RevokeAtIssuerOptions): RevokeAtIssuer {
  return async (token, hint) => {
    const claims = readClaims(token);
    const ours = own();
    if (ours !== undefined && claims?.iss === ours.issuer) return;
    if (ours?.prefix !== undefined && token.startsWith(ours.prefix)) return;
    const issuer = findIssuerOf(token, issuers());
    if (issuer === undefined) throw new Error('no client at the issuer of this token is configured');
    const opened = issuer.open();
    try {
      const form = { token, ...(hint === undefined ? {} : { token_type_hint: hint }) };
      await opened.client.post('revocation_endpoint', form, undefined);
    } finally {
      await opened.close();
    }
  };
}

/**
 * Finds who is asked about a token: the issuer that a JWT names, else the one with the longest prefix that fits, else the
 * only one there is. Nobody's secret is sent to try.
 *
 * @param token untrusted; its signature is not looked at
 */
export function findIssuerOf<T extends { readonly issuer: string; readonly tokenPrefix: string | undefined }>(
  token: string,
  issuers: readonly T[],
): T | undefined {
  const claims = readClaims(token);
  if (claims !== undefined) return issuers.find((one) => one.issuer === claims.iss);
  const fitting = issuers.filter(
    ({ tokenPrefix }) => tokenPrefix !== undefined && token.startsWith(tokenPrefix),
  );
  const [longest] = fitting.sort((a, b) => (b.tokenPrefix?.length ?? 0) - (a.tokenPrefix?.length ?? 0));
  return longest ?? (issuers.length === 1 ? issuers[0] : undefined);
}

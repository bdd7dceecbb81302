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
    const issuer =
      claims === undefined ? ofOpaque(token, issuers()) : issuers().find((one) => one.issuer === claims.iss);
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

/** The longest prefix that fits, else the only issuer there is. Nobody's secret is sent to try. */
function ofOpaque(token: string, issuers: readonly RevokingIssuer[]): RevokingIssuer | undefined {
  const fitting = issuers.filter(
    ({ tokenPrefix }) => tokenPrefix !== undefined && token.startsWith(tokenPrefix),
  );
  const [longest] = fitting.sort((a, b) => (b.tokenPrefix?.length ?? 0) - (a.tokenPrefix?.length ?? 0));
  return longest ?? (issuers.length === 1 ? issuers[0] : undefined);
}

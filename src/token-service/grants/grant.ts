import type { Context } from 'hono';
import type { PresentedCredential } from '../endpoint/client-authentication.js';
import type { Parameters } from '../endpoint/parameters.js';
import type { EndpointProof } from '../endpoint/proof.js';
import type { TokenGrant } from '../issued-tokens.js';

/** A request to the token endpoint, read and not judged. */
export interface GrantRequest {
  readonly c: Context;
  readonly parameters: Parameters;
  readonly credential: PresentedCredential | undefined;
  /** Verified and not spent. */
  readonly proof: EndpointProof | undefined;
}

/** What a grant comes to. */
export interface GrantResult {
  readonly grant: TokenGrant;
  /** Further members of the answer. */
  readonly answer?: Readonly<Record<string, string>>;
  /** Spends what may be used once, when nothing else can fail any more. @throws OAuthError */
  commit?(): Promise<void>;
}

/** A way to a token. @throws OAuthError and what its dependencies throw */
export type Grant = (request: GrantRequest) => Promise<GrantResult>;

import { mintToken, type MintOptions } from './tokens.js';

/** A token of ISSUER that is good now, by the real clock, but for what the options say. */
export function liveToken(options: MintOptions = {}): string {
  const nowS = Math.floor(Date.now() / 1000);
  return mintToken({ ...options, claims: { iat: nowS - 10, exp: nowS + 300, ...options.claims } });
}

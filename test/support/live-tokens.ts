/** Tokens and proofs for gates that live by the clock of the machine. */
import { athOf, jktOf, mintProof } from './proofs.js';
import { AUDIENCE, ISSUER, mintToken, testKey } from './tokens.js';

/** A configuration with the issuer of the tokens. */
export function liveConfig(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const issuers = [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }];
  return { issuers, ...over };
}

/** A token that is good now, but for what the claims say. */
export function liveToken(claims: Readonly<Record<string, unknown>> = {}): string {
  const nowS = Math.floor(Date.now() / 1000);
  return mintToken({ claims: { iat: nowS - 10, exp: nowS + 300, ...claims } });
}

/** A token that is bound to the key of live proofs. */
export function boundToken(claims: Readonly<Record<string, unknown>> = {}): string {
  return liveToken({ cnf: { jkt: jktOf(testKey('ES256', 'proof')) }, ...claims });
}

/** A proof that is good now, for a token, a method and a URL. */
export function liveProof(
  token: string,
  htu: string,
  claims: Readonly<Record<string, unknown>> = {},
): string {
  const iat = Math.floor(Date.now() / 1000);
  return mintProof({
    key: testKey('ES256', 'proof'),
    claims: { htm: 'GET', htu, iat, ath: athOf(token), ...claims },
  });
}

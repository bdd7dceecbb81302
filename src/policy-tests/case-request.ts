/** From a case to the request that is sent: its token and its proof are minted here. */
import { hash, randomUUID } from 'node:crypto';
import { createRequest } from '../authz/create-request.js';
import type { AuthzRequest } from '../authz/types.js';
import type { Config, IssuerConfig } from '../config/config.js';
import { parseDuration } from '../config/units.js';
import { jwkThumbprint } from '../jwk/thumbprint.js';
import type { PolicyCase } from './case-file.js';
import type { TestGate } from './test-gate.js';
import { createProofSigner, type ProofSigner } from './test-issuer.js';

/** What tokens are minted with. */
export interface MintingParts {
  readonly config: Config;
  readonly test: TestGate;
  readonly nowMs: number;
}

const LIFETIME_S = 300;
const AGE_S = 10;

/**
 * Builds the request of a case. `{token}` in a header or the target stands for the token; where it is nowhere, the token is
 * put into the first place of `credentials`.
 *
 * @throws Denial as the decoder of live requests
 */
export function requestOfCase(one: PolicyCase, parts: MintingParts): AuthzRequest {
  const signer = one.dpop === false ? undefined : createProofSigner();
  const token = one.token === 'none' ? undefined : mint(one, signer, parts);
  const fill = (text: string): string => text.replaceAll('{token}', token ?? '');
  const isPlaced = [one.target, ...one.headers.map(([, value]) => value)].some((text) =>
    text.includes('{token}'),
  );
  const headers = one.headers.map(([name, value]) => [name, fill(value)] as const);
  const placed = token === undefined || isPlaced ? [] : [credentialOf(token, one, parts.config)];
  const proof =
    signer === undefined || one.dpop === 'missing'
      ? []
      : [['dpop', proofOf(one, signer, { token, nowMs: parts.nowMs })] as const];
  return createRequest({
    method: one.method,
    target: fill(one.target),
    host: one.host,
    headers: [...headers, ...placed, ...proof],
    contextExtensions: one.extensions,
  });
}

function mint(
  one: PolicyCase,
  signer: ProofSigner | undefined,
  { config, test, nowMs }: MintingParts,
): string {
  const issuer = one.issuer ?? config.issuers[0]?.issuer ?? config.tokens?.issuer ?? '';
  const entry = config.issuers.find((candidate) => candidate.issuer === issuer);
  const nowS = Math.floor(nowMs / 1000);
  const times = one.token === 'expired' ? { iat: nowS - 7200, exp: nowS - 3600 } : timesOf(nowS, entry);
  const claims = {
    iss: issuer,
    aud: entry?.audiences[0] ?? config.tokens?.audiences[0],
    sub: 'alice',
    ...times,
    ...(entry?.profile === 'rfc9068' ? { client_id: 'test-client', jti: randomUUID() } : {}),
    ...(signer === undefined ? {} : { cnf: { jkt: jwkThumbprint(signer.jwk) } }),
    ...(typeof one.token === 'string' ? {} : readTimes(one.token, nowS)),
  };
  if (one.opaque) return opaqueToken(claims, { entry, test });
  const token = test.issuers.get(issuer)?.mint(claims) ?? '';
  return one.token === 'bad' ? withBrokenSignature(token) : token;
}

function timesOf(nowS: number, entry: IssuerConfig | undefined): object {
  const lifetimeS = Math.min(LIFETIME_S, Math.floor((entry?.maxLifetime ?? Infinity) / 1000) - AGE_S);
  return { iat: nowS - AGE_S, exp: nowS + lifetimeS };
}

function opaqueToken(
  claims: object,
  { entry, test }: { entry: IssuerConfig | undefined; test: TestGate },
): string {
  const token = `${entry?.introspection?.tokenPrefix ?? ''}opaque-${randomUUID()}`;
  test.addOpaque(token, claims);
  return token;
}

const TIMES = new Set(['iat', 'exp', 'nbf', 'auth_time', 'updated_at']);
const MOMENT = /^(?:in (\S+)|(\S+) ago)$/;

/** `5m ago` and `in 1h` stand for that moment in seconds, in claims that hold one. A claim that is null is left out. */
function readTimes(claims: Readonly<Record<string, unknown>>, nowS: number): object {
  return Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]): [string, unknown][] => {
      if (value === null) return [[name, undefined]];
      if (!TIMES.has(name) || typeof value !== 'string') return [[name, value]];
      const [, later, ago] = MOMENT.exec(value) ?? [];
      const ms = parseDuration(later ?? ago ?? '');
      if (ms === undefined) return [[name, value]];
      return [[name, nowS + Math.round(ms / 1000) * (later === undefined ? -1 : 1)]];
    }),
  );
}

/** The last character may hold bits that do not count, so the first of the signature is changed. */
function withBrokenSignature(token: string): string {
  const at = token.lastIndexOf('.') + 1;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

function credentialOf(
  token: string,
  { dpop }: PolicyCase,
  { credentials }: Config,
): readonly [string, string] {
  const [place] = credentials;
  if (place?.cookie !== undefined) return ['cookie', `${place.cookie}=${token}`];
  if (place?.header !== undefined && place.header !== 'authorization')
    return [place.header, `${place.prefix ?? ''}${token}`];
  return ['authorization', `${dpop === false ? 'Bearer' : 'DPoP'} ${token}`];
}

function proofOf(
  { method, host, target }: PolicyCase,
  signer: ProofSigner,
  { token, nowMs }: { token: string | undefined; nowMs: number },
): string {
  const [path = '/'] = target.split('?', 1);
  return signer.mint({
    jti: randomUUID(),
    htm: method,
    htu: `https://${host}${path}`,
    iat: Math.floor(nowMs / 1000),
    ath: token === undefined ? undefined : hash('sha256', token, 'base64url'),
  });
}

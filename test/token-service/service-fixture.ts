import { generateKeyPairSync, scryptSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { createProofKeys } from '../../src/authz/dpop/proof-keys.js';
import { importPublicJwk } from '../../src/jwk/import-key.js';
import type { AskIntrospection } from '../../src/introspections.js';
import type { Logger } from '../../src/ports.js';
import { createMemoryRevocationStore } from '../../src/revocation/memory-store.js';
import { RevocationService } from '../../src/revocation/revocation-service.js';
import { generateSigningKeys } from '../../src/signing/generate.js';
import { createReplayMemory } from '../../src/stores/replay-memory.js';
import { buildTokenService } from '../../src/token-service/build.js';
import { createIssuedRevocations } from '../../src/token-service/issued-revocations.js';
import { formatPersonalAccessToken } from '../../src/token-service/personal-access-token.js';
import { createTokenServiceRouter } from '../../src/token-service/router.js';
import { formatScryptPhc } from '../../src/token-service/scrypt-phc.js';
import type { TokenRecord } from '../../src/token-service/store.js';
import { createMemoryTokenStore } from '../../src/token-service/stores/memory.js';
import { createHttpApp } from '../../src/web/http-app.js';
import { read } from '../config/config-file.js';

export const NOW_S = 1_800_000_000;
export const GATE = 'https://gate.example.com';
export const LOGIN = 'https://login.example.com';
export const SECRET = 'S'.repeat(43);
export const patOf = (tokenId: string, secret = SECRET) =>
  formatPersonalAccessToken('pat_', { tokenId, secret });

const SALT = Buffer.alloc(16, 7);
/** Of SECRET, at the lowest cost. */
export const PHC = formatScryptPhc({
  ln: 14,
  r: 8,
  p: 1,
  salt: SALT,
  hash: scryptSync(SECRET, SALT, 32, { N: 2 ** 14, r: 8, p: 1 }),
});

/** A key pair of some client or issuer. */
export function keyPair(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA' };
  const sign = (claims: object, header: object = {}) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', kid, ...header }).sign(privateKey);
  return { jwk, key: importPublicJwk(jwk), sign, privateKey, publicKey };
}

export const login = keyPair('login');
export const robot = keyPair('robot');

/** The token service over stores in memory, with a clock that stands still. */
export async function openService(tokens: object = {}, config: object = {}) {
  let nowMs = NOW_S * 1000 + 500;
  const clock = { now: () => nowMs };
  const signing = await generateSigningKeys('EdDSA', 'sig');
  const parsed = read({
    issuers: [{ issuer: LOGIN, audiences: [GATE], jwks: { keys: [login.jwk] } }],
    tokens: {
      issuer: GATE,
      audiences: ['https://api.example.com'],
      keys: JSON.stringify(signing),
      scrypt: { cost: 16384 },
      bootstrapAdmin: PHC,
      limits: { failures: 1000 },
      ...tokens,
    },
    ...config,
  }).config;
  const store = createMemoryTokenStore(clock);
  const lines: object[] = [];
  const note = (fields: object) => void lines.push(fields);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const counted: string[] = [];
  const revocation = new RevocationService({
    store: createMemoryRevocationStore(),
    clock,
    every: () => () => undefined,
    logger,
    maxEntries: () => 1000,
    metrics: { revoked: () => undefined },
  });
  await revocation.open();
  const static_ = (jwk: object) => ({
    issuer: LOGIN,
    generation: 1,
    isUsable: () => true,
    find: () => [importPublicJwk(jwk)],
  });
  const waits: number[] = [];
  /** How the issuer answers about tokens. */
  const issuer: { introspect: AskIntrospection } = {
    introspect: () => Promise.reject(new Error('not asked in this test')),
  };
  const parts = buildTokenService(parsed, {
    store,
    replay: createReplayMemory({ maxEntries: 1000, clock }),
    assertions: createReplayMemory({ maxEntries: 1000, clock }),
    proofKeys: createProofKeys(),
    revocations: createIssuedRevocations({
      service: revocation,
      issuer: GATE,
      clock,
      random: () => Math.random().toString(36),
      sleep: async (ms) => {
        waits.push(ms);
        nowMs += ms;
      },
    }),
    known: revocation.list,
    clientKeys: {
      find: (name) =>
        name === 'robot@example.com'
          ? { keys: [robot.key], session: { scopes: ['orders:read', 'orders:write'], tenant: 'acme' } }
          : undefined,
    },
    keysOf: () => static_(login.jwk),
    introspect: (question) => issuer.introspect(question),
    clock,
    logger,
    metrics: {
      tokenRequest: (grant, outcome) => void counted.push(`${grant} ${outcome}`),
      adminAction: (action, outcome) => void counted.push(`${action} ${outcome}`),
    },
  });
  const app = createHttpApp({
    maxBodyBytes: 65_536,
    isTls: () => false,
    corsOrigins: () => [],
    trustedProxies: () => [],
  });
  app.route(
    '/',
    createTokenServiceRouter(() => parts),
  );
  const add = (tokenId: string, more: Partial<TokenRecord> = {}) =>
    store.insert({
      tokenId,
      owner: 'ops',
      isAdmin: false,
      roles: [],
      scopes: [],
      createdAt: 1,
      secretPhc: PHC,
      ...more,
    });
  const post = async (
    path: string,
    body: Record<string, string> | string,
    headers: Record<string, string> = {},
  ) =>
    answerOf(
      await app.request(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
    );
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    answerOf(
      await app.request(path, {
        method,
        headers: {
          authorization: `Bearer ${patOf('bootstrap')}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
  return {
    app,
    store,
    add,
    post,
    call,
    lines,
    counted,
    waits,
    parts,
    revocation,
    issuer,
    signing,
    nowS: () => Math.floor(nowMs / 1000),
    wait: (ms: number) => (nowMs += ms),
  };
}

/** An open service. */
export type OpenedService = Awaited<ReturnType<typeof openService>>;

async function answerOf(response: Response) {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

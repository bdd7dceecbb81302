/**
 * Mints keys, tokens and forgeries, on node:crypto alone, so that a broken token is as easy to build as a good one.
 * Nothing is stored: keys are made once a process, when they are first asked for.
 */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
  type SignKeyObjectInput,
} from 'node:crypto';
import { importPublicJwk } from '../../src/jwk/import-key.js';
import type { AsymmetricAlgorithm, SignatureAlgorithm, VerificationKey } from '../../src/jwk/types.js';
import { KeysUnavailableError, type IssuerKeys } from '../../src/jwks/types.js';

/** The moment at which test clocks stand, milliseconds since the epoch. */
export const NOW_MS = 1_800_000_000_000;
/** The same in seconds. */
export const NOW_S = NOW_MS / 1000;
export const ISSUER = 'https://login.example.com';
export const AUDIENCE = 'https://api.example.com';

/** A key pair with what is published of it. */
export interface TestKey {
  readonly alg: AsymmetricAlgorithm;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Public members alone, with `kid`, `alg` and `use`. */
  readonly jwk: Readonly<Record<string, string>>;
  /** Imported under the product's rules. */
  readonly verification: VerificationKey;
}

const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

/** Makes a new key of an algorithm. RSA keys are slow to make: prefer `testKey`. */
export function createTestKey(alg: AsymmetricAlgorithm, kid = `${alg}-1`): TestKey {
  return describeKey(alg, kid, generatePair(alg));
}

function generatePair(alg: AsymmetricAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  if (alg in CURVES) return generateKeyPairSync('ec', { namedCurve: CURVES[alg as keyof typeof CURVES] });
  return rsaPair();
}

function describeKey(
  alg: AsymmetricAlgorithm,
  kid: string,
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
): TestKey {
  const jwk = { ...(publicKey.export({ format: 'jwk' }) as Record<string, string>), kid, alg, use: 'sig' };
  return { alg, kid, privateKey, publicKey, jwk, verification: importPublicJwk(jwk) };
}

let sharedRsaPair: { privateKey: KeyObject; publicKey: KeyObject } | undefined;

/** One RSA pair serves all six algorithms: nobody minds in a test. */
function rsaPair(): { privateKey: KeyObject; publicKey: KeyObject } {
  sharedRsaPair ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
  return sharedRsaPair;
}

const keys = new Map<string, TestKey>();

/** The key of an algorithm and kid, the same for the whole process. */
export function testKey(alg: AsymmetricAlgorithm, kid = `${alg}-1`): TestKey {
  const id = `${alg} ${kid}`;
  const known = keys.get(id) ?? createTestKey(alg, kid);
  keys.set(id, known);
  return known;
}

/** A JSON value, or text or bytes that become the segment as they are. */
export type SegmentContent = object | string | Uint8Array;

/** base64url of a segment's content. */
export function segment(content: SegmentContent): string {
  if (typeof content === 'string' || content instanceof Uint8Array) {
    return Buffer.from(content as string).toString('base64url');
  }
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** Signs what is given, whatever its header says. `none` gives no bytes. */
export function signText(
  alg: SignatureAlgorithm | 'none',
  key: KeyObject | Uint8Array,
  text: string,
): Buffer {
  const data = Buffer.from(text);
  const hash = `sha${alg.slice(2)}`;
  if (alg === 'none') return Buffer.alloc(0);
  if (alg === 'EdDSA') return sign(null, data, key as KeyObject);
  if (alg.startsWith('HS')) return createHmac(hash, key).update(data).digest();
  return sign(hash, data, { key: key as KeyObject, ...signOptions(alg) });
}

function signOptions(alg: string): Omit<SignKeyObjectInput, 'key'> {
  if (alg.startsWith('ES')) return { dsaEncoding: 'ieee-p1363' };
  if (!alg.startsWith('PS')) return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

/** What goes into a JWS; every part can be wrong. */
export interface JwsParts {
  readonly header: SegmentContent;
  readonly payload: SegmentContent;
  readonly key: KeyObject | Uint8Array;
  readonly alg: SignatureAlgorithm | 'none';
}

/** Builds a compact JWS. */
export function signJws({ header, payload, key, alg }: JwsParts): string {
  const signingInput = `${segment(header)}.${segment(payload)}`;
  return `${signingInput}.${signText(alg, key, signingInput).toString('base64url')}`;
}

/** The claims of a good access token of ISSUER for AUDIENCE; `undefined` takes one out. */
export function accessClaims(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user-1',
    client_id: 'client-1',
    iat: NOW_S - 10,
    exp: NOW_S + 300,
    jti: randomBytes(8).toString('base64url'),
    scope: 'orders:read profile',
    ...over,
  };
}

/** How a minted token differs from a good one. */
export interface MintOptions {
  /** Whose key signs, and by default whose alg and kid are in the header. */
  readonly key?: TestKey;
  /** Over the header of a good token; `undefined` takes a member out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Over the claims of a good token; `undefined` takes one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Instead of all of the header. */
  readonly rawHeader?: SegmentContent;
  /** Instead of all of the payload. */
  readonly rawPayload?: SegmentContent;
}

/** Mints an access token: a good one of ISSUER, but for what the options say. */
export function mintToken(options: MintOptions = {}): string {
  const key = options.key ?? testKey('ES256');
  return signJws({
    header: options.rawHeader ?? { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...options.header },
    payload: options.rawPayload ?? accessClaims(options.claims),
    key: key.privateKey,
    alg: key.alg,
  });
}

/** Puts another text in place of a token's segment. */
export function replaceSegment(token: string, index: 0 | 1 | 2, change: (text: string) => string): string {
  const segments = token.split('.');
  segments[index] = change(segments[index] ?? '');
  return segments.join('.');
}

/** An issuer's keys as a test wants them: a set that can be changed, taken away, or be slow. */
export class TestIssuerKeys implements IssuerKeys {
  generation = 1;
  usable = true;
  /** How often it was asked for keys. */
  asked = 0;
  /** No set: `find` throws. */
  unavailable = false;
  /** `find` gives a promise that waits for `release`. */
  slow = false;
  readonly #waiting: (() => void)[] = [];

  constructor(
    readonly issuer: string = ISSUER,
    public set: readonly VerificationKey[] = [testKey('ES256').verification],
  ) {}

  /** Replaces the keys. */
  rotate(...set: readonly VerificationKey[]): void {
    this.set = set;
    this.generation += 1;
  }

  /** Answers everybody who waits. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  isUsable(): boolean {
    return this.usable;
  }

  find(
    kid: string | undefined,
    alg: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    this.asked += 1;
    if (!this.slow) return this.#answer(kid, alg);
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => this.#answer(kid, alg));
  }

  #answer(kid: string | undefined, alg: string): readonly VerificationKey[] {
    if (this.unavailable) throw new KeysUnavailableError(this.issuer, 7);
    const fits = (key: VerificationKey): boolean =>
      (kid === undefined || key.kid === kid) && (key.algorithms as readonly string[]).includes(alg);
    return this.set.filter(fits);
  }
}

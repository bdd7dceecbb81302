import type { VerifiedToken } from '../authz/types.js';
import { ExpiryQueue } from './expiry-queue.js';
import { mergeRevocations, type Revocation, type RevocationTarget } from './revocation.js';
import { hashForRevocation } from './token-hash.js';

/** Revocations of one issuer, by what they name. */
class IssuerRevocations {
  readonly jti = new Map<string, Revocation>();
  readonly sid = new Map<string, Revocation>();
  /** By `sid` and `sub`. */
  readonly sidOfSubject = new Map<string, Revocation>();
  readonly sub = new Map<string, Revocation>();
  readonly client = new Map<string, Revocation>();
  /** `jti` of revoked tokens. Not among `jti`, so that each place belongs to one revocation. */
  readonly jtiOfToken = new Map<string, Revocation>();

  get isEmpty(): boolean {
    const { jti, sid, sidOfSubject, sub, client, jtiOfToken } = this;
    return [jti, sid, sidOfSubject, sub, client, jtiOfToken].every(({ size }) => size === 0);
  }
}

/**
 * Holds the revocations that count, in memory. A token is looked for in a few maps, so the cost of a Check does not grow
 * with their number. Bounds nothing: the store in front of it does.
 */
export class RevocationIndex {
  readonly #byId = new Map<string, Revocation>();
  readonly #byIssuer = new Map<string, IssuerRevocations>();
  readonly #tokens = new Map<string, Revocation>();
  readonly #ends: ExpiryQueue<string>;

  /** @param nowMs milliseconds since the epoch */
  constructor(nowMs: number) {
    this.#ends = new ExpiryQueue(nowMs / 1000);
  }

  /** How many are held. Some may have ended and wait for the sweep. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * Is this token revoked? Does not look at its signature or its times.
   *
   * @param token verified
   * @param credentialText the token as the client sent it
   * @param nowMs milliseconds since the epoch
   */
  isRevoked(token: VerifiedToken, credentialText: string, nowMs: number): boolean {
    if (this.#byId.size === 0) return false;
    const nowS = nowMs / 1000;
    const ofIssuer = this.#byIssuer.get(token.issuer);
    if (ofIssuer !== undefined && isRevokedByIssuer(ofIssuer, token, nowS)) return true;
    return this.#tokens.size > 0 && holds(this.#tokens.get(hashForRevocation(credentialText)), nowS);
  }

  /** The revocation of exactly this target; undefined where there is none. */
  find(target: RevocationTarget): Revocation | undefined {
    return this.#mapOf(target)?.get(keyOf(target));
  }

  /** @returns what is held under that id */
  get(id: string): Revocation | undefined {
    return this.#byId.get(id);
  }

  /** All that is held, in the order in which it came. Stays valid while entries come and go. */
  entries(): IterableIterator<Revocation> {
    return this.#byId.values();
  }

  /**
   * Takes a revocation in, joined with the one of the same target that is there.
   *
   * @returns what is held now
   */
  put(revocation: Revocation): Revocation {
    const former = this.find(revocation);
    if (former === undefined) return this.#insert(revocation);
    const merged = mergeRevocations(former, revocation);
    this.#forget(former);
    // Under the first one's id, so its place in the order stays.
    return this.#insert(merged);
  }

  /** @returns what was held under that id */
  remove(id: string): Revocation | undefined {
    const held = this.#byId.get(id);
    if (held === undefined) return undefined;
    this.#byId.delete(id);
    this.#forget(held);
    return held;
  }

  /**
   * Forgets what has ended.
   *
   * @param nowMs milliseconds since the epoch
   * @param max entries at most, so that a sweep never holds up a Check for long
   * @returns how many were forgotten
   */
  sweep(nowMs: number, max: number): number {
    const ended = this.#ends.takeEnded(nowMs / 1000, max);
    for (const id of ended) this.remove(id);
    return ended.length;
  }

  #insert(revocation: Revocation): Revocation {
    this.#byId.set(revocation.id, revocation);
    this.#createMapOf(revocation).set(keyOf(revocation), revocation);
    const { jti, issuer } = revocation;
    if (jti !== undefined && issuer !== '') this.#ofIssuer(issuer).jtiOfToken.set(jti, revocation);
    this.#ends.add(revocation.id, revocation.heldUntilS);
    return revocation;
  }

  #forget(revocation: Revocation): void {
    const { id, issuer, jti } = revocation;
    this.#mapOf(revocation)?.delete(keyOf(revocation));
    this.#ends.remove(id, revocation.heldUntilS);
    const ofIssuer = this.#byIssuer.get(issuer);
    if (ofIssuer === undefined) return;
    if (jti !== undefined && ofIssuer.jtiOfToken.get(jti) === revocation) ofIssuer.jtiOfToken.delete(jti);
    if (ofIssuer.isEmpty) this.#byIssuer.delete(issuer);
  }

  #mapOf(target: RevocationTarget): Map<string, Revocation> | undefined {
    if (target.kind === 'token') return this.#tokens;
    const ofIssuer = this.#byIssuer.get(target.issuer);
    return ofIssuer && mapIn(ofIssuer, target);
  }

  #createMapOf(target: RevocationTarget): Map<string, Revocation> {
    return target.kind === 'token' ? this.#tokens : mapIn(this.#ofIssuer(target.issuer), target);
  }

  #ofIssuer(issuer: string): IssuerRevocations {
    const known = this.#byIssuer.get(issuer);
    if (known !== undefined) return known;
    const created = new IssuerRevocations();
    this.#byIssuer.set(issuer, created);
    return created;
  }
}

function mapIn(ofIssuer: IssuerRevocations, { kind, subject }: RevocationTarget): Map<string, Revocation> {
  if (kind === 'token') return ofIssuer.jtiOfToken;
  return kind === 'sid' && subject !== undefined ? ofIssuer.sidOfSubject : ofIssuer[kind];
}

function keyOf({ kind, value, subject }: RevocationTarget): string {
  return kind === 'sid' && subject !== undefined ? sessionKey(value, subject) : value;
}

/** With the length in front, no two pairs give the same text. */
function sessionKey(sid: string, subject: string): string {
  return `${sid.length}:${sid}${subject}`;
}

function isRevokedByIssuer(ofIssuer: IssuerRevocations, token: VerifiedToken, nowS: number): boolean {
  const { claims, subject, clientId } = token;
  const { jti, sid } = claims;
  if (typeof jti === 'string') {
    if (holds(ofIssuer.jti.get(jti), nowS) || holds(ofIssuer.jtiOfToken.get(jti), nowS)) return true;
  }
  if (typeof sid === 'string') {
    if (holds(ofIssuer.sid.get(sid), nowS)) return true;
    if (subject !== undefined && ofIssuer.sidOfSubject.size > 0) {
      if (holds(ofIssuer.sidOfSubject.get(sessionKey(sid, subject)), nowS)) return true;
    }
  }
  if (subject !== undefined && reaches(ofIssuer.sub.get(subject), token, nowS)) return true;
  return clientId !== undefined && reaches(ofIssuer.client.get(clientId), token, nowS);
}

function holds(revocation: Revocation | undefined, nowS: number): boolean {
  return revocation !== undefined && nowS < revocation.heldUntilS;
}

/** A token without `iat` cannot show that it is younger. Fractions of a second count for the revocation. */
function reaches(revocation: Revocation | undefined, { issuedAtS }: VerifiedToken, nowS: number): boolean {
  if (revocation === undefined || nowS >= revocation.heldUntilS) return false;
  const { beforeS } = revocation;
  return beforeS === undefined || issuedAtS === undefined || Math.floor(issuedAtS) <= beforeS;
}

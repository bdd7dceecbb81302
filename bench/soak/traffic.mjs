/**
 * The requests of the soak, each of a kind, each with the statuses that are right for it when it was sent and when it
 * was answered. `never` 200 is what matters most: nothing that happens may turn one of these into an allow.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { checkBody, grpcFrame } from '../lib/check-request.mjs';
import { createKey, createToken, proofMaker, thumbprint, withBadSignature } from '../lib/tokens.mjs';

const nowS = () => Math.floor(Date.now() / 1000);
const bearer = (token, path) =>
  checkBody({ ...(path ? { path } : {}), headers: { authorization: `Bearer ${token}` } });
const pick = (list) => list[randomInt(list.length)];
const always =
  (...statuses) =>
  () =>
    statuses;

/** A valid token is allowed; a 503 is right only where a dependency, or the worker that knew the keys, is gone. */
const allowed = (world) => (sentMs) =>
  world.unsettled('keys', sentMs) || world.unsettled('workers', sentMs) || world.unsettled('issuer', sentMs)
    ? [200, 503]
    : [200];

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * @param {import('./world.mjs').World} world
 * @param {import('./issuer.mjs').SoakIssuer} issuer
 * @returns {{ kind: string, weight: number, make: () => { body: Buffer, right: (sentMs: number) => number[], answered?: (status: number) => void } | undefined }[]}
 *   `make` gives nothing where the moment does not suit the kind
 */
export function trafficKinds(world, issuer) {
  const tokens = new TokenPool(issuer);
  const stranger = createKey('ES256');
  const proofs = new Proofs(issuer);
  return [
    {
      kind: 'known token',
      weight: 20,
      make: () => ({ body: bearer(tokens.known()), right: allowed(world) }),
    },
    { kind: 'new token', weight: 15, make: () => ({ body: bearer(tokens.fresh()), right: allowed(world) }) },
    { kind: 'token of the announced key', weight: 4, make: () => tokens.announced(world) },
    { kind: 'token of a retired key', weight: 5, make: () => tokens.retired(world) },
    { kind: 'token that expires', weight: 4, make: () => tokens.expiring(world) },
    {
      kind: 'expired token',
      weight: 3,
      make: () =>
        never(bearer(createToken(issuer.issuer, issuer.current, { iat: nowS() - 700, exp: nowS() - 60 }))),
    },
    { kind: 'bad signature', weight: 5, make: () => never(bearer(withBadSignature(tokens.fresh()))) },
    {
      kind: 'foreign key under our key id',
      weight: 3,
      make: () => never(bearer(createToken(issuer.issuer, { ...stranger, kid: issuer.current.kid }))),
    },
    {
      kind: 'unknown key id',
      weight: 4,
      make: () =>
        never(bearer(createToken(issuer.issuer, { ...stranger, kid: randomBytes(6).toString('hex') }))),
    },
    {
      kind: 'foreign issuer',
      weight: 3,
      make: () => never(bearer(createToken('https://elsewhere.example', issuer.current))),
    },
    {
      kind: 'wrong audience',
      weight: 3,
      make: () => never(bearer(createToken(issuer.issuer, issuer.current, { aud: 'https://other.example' }))),
    },
    {
      kind: 'alg none',
      weight: 2,
      make: () => never(bearer(`${encode({ alg: 'none' })}.${encode({ iss: issuer.issuer })}.`)),
    },
    { kind: 'no credential', weight: 4, make: () => ({ body: checkBody(), right: always(401) }) },
    {
      kind: 'scope is missing',
      weight: 4,
      make: () => ({
        body: bearer(tokens.known(), '/admin/users'),
        right: (sentMs) => [403, ...allowed(world)(sentMs).filter((status) => status === 503)],
      }),
    },
    {
      kind: 'anonymous route',
      weight: 4,
      make: () => ({ body: checkBody({ path: '/public/logo.svg' }), right: always(200) }),
    },
    { kind: 'route that a reload opens and closes', weight: 4, make: () => toggledRoute(world) },
    { kind: 'DPoP', weight: 8, make: () => proofs.fresh(world) },
    { kind: 'DPoP, replayed', weight: 6, make: () => proofs.replayed(world) },
    { kind: 'bound token as Bearer', weight: 2, make: () => never(bearer(proofs.token())) },
    {
      kind: 'a token with some characters changed',
      weight: 6,
      make: () => never(bearer(mutated(tokens.fresh()))),
    },
    { kind: 'random text as a token', weight: 4, make: () => never(bearer(randomText())) },
    {
      kind: 'a CheckRequest with some bytes changed',
      weight: 6,
      make: () => never(grpcFrame(mutatedBytes(checkBody().subarray(5)))),
    },
    {
      kind: 'random bytes as a CheckRequest',
      weight: 4,
      make: () => never(grpcFrame(randomBytes(randomInt(0, 600)))),
    },
  ];
}

// A 500 would be an error of ours.
const denials = [400, 401, 403, 503];
const never = (body) => ({ body, right: always(...denials) });

const toggledRoute = (world) => ({
  body: checkBody({ path: '/toggled/page' }),
  right: (sentMs) =>
    world.unsettled('config', sentMs) || world.unsettled('workers', sentMs)
      ? [200, 401]
      : world.toggled
        ? [200]
        : [401],
});

class TokenPool {
  #issuer;
  #known = [];
  #knownKey;
  #ofOldKey = [];
  #expiring = [];

  constructor(issuer) {
    this.#issuer = issuer;
  }

  fresh() {
    return createToken(this.#issuer.issuer, this.#issuer.current);
  }

  /** One of a few hundred that are sent again and again; a new few hundred after a rotation. */
  known() {
    if (this.#knownKey !== this.#issuer.current) {
      this.#ofOldKey = this.#known;
      this.#known = Array.from({ length: 300 }, () => this.fresh());
      this.#knownKey = this.#issuer.current;
    }
    return pick(this.#known);
  }

  announced(world) {
    const { next, issuer } = this.#issuer;
    if (!next) return undefined;
    // Its key may be fetched because of this very token, or not yet because of the cooldown.
    const right = (sentMs) =>
      world.unsettled('keys', sentMs) || !world.issuerUp ? [200, 401, 503] : allowed(world)(sentMs);
    return { body: bearer(createToken(issuer, next)), right };
  }

  /** Tokens that were allowed before: a cache that forgets its keys' end would allow them still. */
  retired(world) {
    if (!this.#issuer.retired || this.#ofOldKey.length === 0) return undefined;
    const right = (sentMs) => (world.unsettled('keys', sentMs) ? [200, 401, 503] : [401, 503]);
    return { body: bearer(pick(this.#ofOldKey)), right };
  }

  /** The same token before and after its end; 1 s of tolerance is configured, and 1 s is left for the way. */
  expiring(world) {
    this.#expiring = this.#expiring.filter(({ exp }) => nowS() < exp + 10);
    if (this.#expiring.length < 20) {
      const exp = nowS() + randomInt(3, 8);
      this.#expiring.push({ exp, token: createToken(this.#issuer.issuer, this.#issuer.current, { exp }) });
    }
    const { exp, token } = pick(this.#expiring);
    const right = (sentMs) => {
      if (sentMs / 1000 > exp + 2) return [401, 503];
      return Date.now() / 1000 < exp
        ? [...allowed(world)(sentMs), ...(world.unsettled('keys', sentMs) ? [401] : [])]
        : [200, 401, 503];
    };
    return { body: bearer(token), right };
  }
}

const TARGET = 'https://api.example.com/orders/4711';
/** Shorter than the proof's own maxAge by enough for a stretch of bad weather. */
const REPLAYABLE_MS = 20_000;

class Proofs {
  #issuer;
  #key = createKey('ES256');
  #bound;
  #spent = [];

  constructor(issuer) {
    this.#issuer = issuer;
  }

  token() {
    if (this.#bound?.key !== this.#issuer.current) {
      const token = createToken(this.#issuer.issuer, this.#issuer.current, {
        cnf: { jkt: thumbprint(this.#key) },
      });
      this.#bound = {
        key: this.#issuer.current,
        token,
        prove: proofMaker(this.#key, { token, method: 'GET', target: TARGET }),
      };
    }
    return this.#bound.token;
  }

  fresh(world) {
    const token = this.token();
    const body = checkBody({ headers: { authorization: `DPoP ${token}`, dpop: this.#bound.prove() } });
    const epoch = world.redisEpoch;
    const answered = (status) =>
      status === 200 && this.#spent.push({ body, epoch, atMs: Date.now(), key: this.#bound.key });
    return {
      body,
      answered,
      right: (sentMs) => this.#whileStore(world, sentMs, [200, 503], allowed(world)(sentMs)),
    };
  }

  /** Allowed once, and so never again, by any worker, as long as the store has not been emptied. */
  replayed(world) {
    const recent = (proof) => proof.epoch === world.redisEpoch && Date.now() - proof.atMs < REPLAYABLE_MS;
    this.#spent = this.#spent.filter(recent).slice(-500);
    if (this.#spent.length === 0 || world.unsettled('redis', Date.now()) || !world.redisUp) return undefined;
    const { body, epoch } = pick(this.#spent);
    return { body, right: () => (epoch === world.redisEpoch ? [401, 503] : [200, 401, 503]) };
  }

  #whileStore(world, sentMs, unsure, settled) {
    if (world.unsettled('redis', sentMs)) return unsure;
    return world.redisUp ? settled : [503];
  }
}

function mutated(token) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ,';
  let text = token;
  while (text === token) {
    for (let i = randomInt(1, 4); i > 0; i--) {
      const at = randomInt(text.length);
      text = text.slice(0, at) + alphabet[randomInt(alphabet.length)] + text.slice(at + 1);
    }
  }
  return text;
}

/** Of a request without a credential: whatever the bytes turn into, it is not an allow. */
function mutatedBytes(message) {
  const bytes = Buffer.from(message);
  for (let i = randomInt(1, 8); i > 0; i--) bytes[randomInt(bytes.length)] = randomInt(256);
  return bytes;
}

const randomText = () =>
  randomBytes(randomInt(1, 400)).toString(pick(['base64url', 'base64', 'hex', 'latin1']));

/** The rows of the target table that are about one decision. */
import { checkBody } from '../lib/check-request.mjs';
import { baseConfig, issuerOf } from '../lib/gate.mjs';
import { askOnce } from '../lib/measure.mjs';
import { targetOf } from '../lib/targets.mjs';
import {
  createKey,
  createToken,
  proofMaker,
  thumbprint,
  tokenHeader,
  withBadSignature,
} from '../lib/tokens.mjs';
import { randomBytes } from 'node:crypto';

const issuer = 'https://login.example.com';
const bearer = (token, path) =>
  checkBody({ ...(path ? { path } : {}), headers: { authorization: `Bearer ${token}` } });

/** A pool larger than the cache: when a token comes round again, it was forgotten long ago. */
const SMALL_CACHE = { maxEntries: 500, maxBytes: '64MiB' };
const POOL = 3000;

const constant = (body, expect = [200]) => ({ body: () => body, constant: body, expect });

/** Takes up where the last stretch ended. */
function cycling(bodies, expect) {
  let next = 0;
  return { body: () => bodies[next++ % bodies.length], expect };
}

const anonymous = ({ rsa, transport }) => ({
  name: 'anonymous',
  title: 'anonymous route',
  gates: { gate: { config: baseConfig({ issuers: [issuerOf(issuer, rsa)] }) } },
  loads: { subject: { gate: 'gate', load: constant(bearer(createToken(issuer, rsa), '/public/logo.svg')) } },
  ...targetOf('anonymous', transport),
});

const knownToken = ({ rsa, transport }) => ({
  name: 'known-token',
  title: 'Bearer token seen before, scope policy, three identity headers',
  gates: { gate: { config: baseConfig({ issuers: [issuerOf(issuer, rsa)] }) } },
  loads: { subject: { gate: 'gate', load: constant(bearer(createToken(issuer, rsa))) } },
  ...targetOf('known-token', transport),
});

/** As a proxy with little to do asks: nothing of the transport's work is shared between Checks. */
const knownTokenSingle = (keys) => ({
  ...knownToken(keys),
  name: 'known-token-single',
  title: 'the same, one stream at a time',
  loop: { connections: 1, streams: 1 },
  ...targetOf('known-token-single', keys.transport),
});

const pool = (key) => Array.from({ length: POOL }, () => createToken(issuer, key));

const firstSeen = (key, transport) => ({
  name: `first-seen-${key.alg.toLowerCase()}`,
  title: `${key.alg} token seen for the first time`,
  raw: key,
  gates: { gate: { config: baseConfig({ issuers: [issuerOf(issuer, key)], tokenCache: SMALL_CACHE }) } },
  loads: {
    subject: {
      gate: 'gate',
      load: cycling(
        pool(key).map((token) => bearer(token)),
        [200],
      ),
    },
  },
  ...targetOf(`first-seen-${key.alg.toLowerCase()}`, transport),
});

const dpop = ({ ec, transport }) => {
  const proofKey = createKey('ES256');
  const token = createToken(issuer, ec, { cnf: { jkt: thumbprint(proofKey) } });
  const target = 'https://api.example.com/orders/4711';
  const prove = proofMaker(proofKey, { token, method: 'GET', target });
  const body = (proof) => checkBody({ headers: { authorization: `DPoP ${token}`, dpop: proof } });
  const secrets = [randomBytes(32).toString('hex')];
  return {
    name: 'dpop',
    title: 'DPoP: known token, fresh ES256 proof, replay check, nonce',
    raw: proofKey,
    gates: {
      gate: {
        config: baseConfig({
          issuers: [issuerOf(issuer, ec)],
          dpop: { nonce: { mode: 'required', secrets } },
          // One client makes all the proofs, and one key may hold a sixteenth.
          replay: { maxEntries: 16_000_000 },
        }),
      },
    },
    loads: { subject: { gate: 'gate', load: freshProofs(prove, body) } },
    ...targetOf('dpop', transport),
  };
};

/** Each proof is made just before its stretch and sent once; the nonce is asked for as a client does. */
function freshProofs(prove, body) {
  let bodies = [];
  let next = 0;
  return {
    expect: [200],
    body: () => bodies[next++ % bodies.length],
    async prepare(requests, port) {
      const { response } = await askOnce(port, body(prove()));
      const headers = response.denied_response?.headers ?? [];
      const nonce = headers.find(({ header }) => header.key.toLowerCase() === 'dpop-nonce')?.header.value;
      bodies = Array.from({ length: requests + 1 }, () => body(prove(nonce)));
      next = 0;
    },
  };
}

const badSignature = ({ rsa }) => {
  const tokens = pool(rsa);
  return {
    name: 'bad-signature',
    title: 'denial of a bad signature, against the allow of a new token',
    target: '≤ 1 × the allow',
    // The two are within the error of the measurement when they do the same work.
    limit: 1.05,
    gates: { gate: { config: baseConfig({ issuers: [issuerOf(issuer, rsa)], tokenCache: SMALL_CACHE }) } },
    loads: {
      subject: {
        gate: 'gate',
        load: cycling(
          tokens.map((token) => bearer(withBadSignature(token))),
          [401],
        ),
      },
      allow: {
        gate: 'gate',
        load: cycling(
          tokens.map((token) => bearer(token)),
          [200],
        ),
      },
    },
    value: ({ subject, allow }) => subject / allow,
  };
};

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What scanners and broken clients send: never a signature that has to be checked. */
const garbageKinds = ({ rsa }) => [
  () => randomBytes(30).toString('base64url'),
  () =>
    `${randomBytes(60).toString('base64url')}.${randomBytes(300).toString('base64url')}.${randomBytes(256).toString('base64url')}`,
  () =>
    `${tokenHeader(rsa)}.${encode({ iss: `https://${randomBytes(6).toString('hex')}.example` })}.${randomBytes(256).toString('base64url')}`,
  () => `${encode({ alg: 'none' })}.${encode({ iss: issuer, sub: randomBytes(8).toString('hex') })}.`,
  () => `${randomBytes(20).toString('base64url')} ${randomBytes(20).toString('base64url')}`,
];

const garbage = (keys, { logged }) => {
  const kinds = garbageKinds(keys);
  const bodies = Array.from({ length: POOL }, (_, i) => bearer(kinds[i % kinds.length]()));
  return {
    name: logged ? 'garbage-logged' : 'garbage',
    title: `a flood of garbage${logged ? ', each denial logged' : ''}`,
    gates: {
      gate: { config: baseConfig({ issuers: [issuerOf(issuer, keys.rsa)], ...(logged ? { log: {} } : {}) }) },
    },
    loads: { subject: { gate: 'gate', load: cycling(bodies, [400, 401]) } },
    ...targetOf('garbage', keys.transport),
    ...(logged ? { target: 'for information', limit: Infinity } : {}),
  };
};

/** @param {string} transport @returns {(() => import('../lib/run-case.mjs').Case)[]} made when their turn comes: minting takes a while */
export function decisionCases(transport) {
  const keys = { rsa: createKey('RS256'), ec: createKey('ES256'), ed: createKey('EdDSA'), transport };
  return {
    anonymous: () => anonymous(keys),
    'known-token': () => knownToken(keys),
    'known-token-single': () => knownTokenSingle(keys),
    'first-seen-rs256': () => firstSeen(keys.rsa, transport),
    'first-seen-es256': () => firstSeen(keys.ec, transport),
    'first-seen-eddsa': () => firstSeen(keys.ed, transport),
    dpop: () => dpop(keys),
    'bad-signature': () => badSignature(keys),
    garbage: () => garbage(keys, { logged: false }),
    'garbage-logged': () => garbage(keys, { logged: true }),
  };
}

/** What a Check costs when there is more of everything: routes, issuers, cached tokens. */
import { checkBody } from '../lib/check-request.mjs';
import { closedLoop } from '../lib/closed-loop.mjs';
import { baseConfig, issuerOf } from '../lib/gate.mjs';
import { checkBlock, readDecision } from '../lib/measure.mjs';
import { createKey, createToken } from '../lib/tokens.mjs';

const issuer = 'https://login.example.com';
const bearer = (token, path) =>
  checkBody({ ...(path ? { path } : {}), headers: { authorization: `Bearer ${token}` } });

/** The same generator for every run, so that many and few are asked in the same order each time. */
function scattered(count) {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % count;
  };
}

const bodiesAtRandom = (bodies) => {
  const at = scattered(bodies.length);
  return { body: () => bodies[at()], expect: [200] };
};

/** `many` is the row, `few` what it is compared with. */
const growth = (name, title, few, many) => ({
  name,
  title,
  target: '≤ 1.2 × a Check',
  limit: 1.2,
  gates: { few: few.gate, many: many.gate },
  loads: { few: { gate: 'few', load: few.load }, subject: { gate: 'many', load: many.load } },
  value: ({ subject, few: base }) => subject / base,
});

const routes = (key, count) => {
  const token = createToken(issuer, key);
  const paths = Array.from({ length: count }, (_, i) => `/svc-${String(i).padStart(5, '0')}/orders/4711`);
  const list = paths.map((_, i) => ({
    paths: [`/svc-${String(i).padStart(5, '0')}/orders/**`],
    policy: 'orders-read',
  }));
  return {
    gate: { config: baseConfig({ issuers: [issuerOf(issuer, key)], routes: list }) },
    load: bodiesAtRandom(paths.map((path) => bearer(token, path))),
  };
};

const issuers = (count, tokens, over = {}) => {
  const all = Array.from({ length: count }, (_, i) => [
    `https://login-${String(i).padStart(4, '0')}.example.com`,
    createKey('ES256'),
  ]);
  return {
    gate: { config: baseConfig({ issuers: all.map(([name, key]) => issuerOf(name, key)), ...over }) },
    load: bodiesAtRandom(Array.from({ length: tokens }, (_, i) => bearer(createToken(...all[i % count])))),
  };
};

/** Room for all of them; the default bound in bytes would hold about a third of 100,000. */
const cacheOf = (entries) => ({
  maxEntries: Math.max(1000, entries),
  maxBytes: `${Math.max(64, Math.ceil(entries / 250))}MiB`,
});

/** Tokens of equal length in one buffer: a million bodies would not fit. */
function packedTokens(key, count) {
  const first = createToken(issuer, key);
  const packed = Buffer.alloc(first.length * count);
  for (let i = 0; i < count; i++)
    packed.write(i === 0 ? first : createToken(issuer, key), i * first.length, 'latin1');
  const template = bearer(first);
  const at = template.indexOf(first);
  return (i) => {
    const body = Buffer.from(template);
    packed.copy(body, at, i * first.length, (i + 1) * first.length);
    return body;
  };
}

const cached = (key, count) => {
  const body = packedTokens(key, count);
  const at = scattered(count);
  let filled = 0;
  const fill = ({ port }) =>
    closedLoop(port, {
      requests: count,
      block: checkBlock,
      body: () => body(filled++ % count),
      read: readDecision,
    });
  return {
    gate: {
      config: baseConfig({ issuers: [issuerOf(issuer, key)], tokenCache: cacheOf(count) }),
      env: { NODE_OPTIONS: '--max-old-space-size=12000' },
    },
    load: { body: () => body(at()), expect: [200], fill },
  };
};

/** @param {{ full: boolean, quick: boolean }} size */
export function growthCases({ full, quick }) {
  const ec = createKey('ES256');
  const ed = createKey('EdDSA');
  const manyTokens = quick ? 5_000 : full ? 1_000_000 : 100_000;
  const off = { tokenCache: { maxEntries: 0 } };
  return {
    routes: () => growth('routes', '10 → 10,000 routes, known token', routes(ec, 10), routes(ec, 10_000)),
    issuers: () =>
      growth('issuers', '1 → 1,000 issuers, 1,000 known tokens', issuers(1, 1000), issuers(1000, 1000)),
    'issuers-uncached': () =>
      growth(
        'issuers-uncached',
        '1 → 1,000 issuers, ES256 verified each time',
        issuers(1, 1000, off),
        issuers(1000, 1000, off),
      ),
    'cached-tokens': () =>
      growth(
        'cached-tokens',
        `1,000 → ${manyTokens.toLocaleString('en')} cached tokens`,
        cached(ed, 1000),
        cached(ed, manyTokens),
      ),
  };
}

import { describe, expect, test } from '@jest/globals';
import { Denial } from '../../../src/authz/denial.js';
import { isKept } from '../../../src/authz/kept.js';
import { TokenCache } from '../../../src/authz/token/token-cache.js';
import { denialOf } from '../../support/denials.js';
import { testCache, testVerifier, tokenIssuer } from '../../support/token-issuers.js';
import {
  AUDIENCE,
  createTestKey,
  ISSUER,
  mintToken,
  NOW_MS,
  NOW_S,
  replaceSegment,
  TestIssuerKeys,
  testKey,
} from '../../support/tokens.js';

const es = testKey('ES256');
const next = testKey('EdDSA');
const forged = (): string => mintToken({ key: createTestKey('ES256') });

/** One issuer, one cache, one verifier, and the strings to pull. */
function setUp(cache = testCache()) {
  const keys = new TestIssuerKeys();
  const issuer = tokenIssuer({ keys });
  return { keys, issuer, cache, ...testVerifier([issuer], cache) };
}

describe('createTokenVerifier() and the keys', () => {
  test.each([
    ['an unknown issuer', () => mintToken({ claims: { iss: 'https://nobody.example' } })],
    ['an algorithm that is not accepted', () => mintToken({ header: { alg: 'none' } })],
    ['a text that is no JWS', () => 'opaque'],
    ['an expired token', () => mintToken({ claims: { exp: NOW_S - 60 } })],
  ])('asks for no key on %s', async (_, token) => {
    const { keys, verify } = setUp();
    expect(await denialOf(() => verify(token()))).toBeDefined();
    expect(keys.asked).toBe(0);
  });

  test('asks the issuer of the token, and no other', async () => {
    const [a, b] = [
      new TestIssuerKeys('https://a.example'),
      new TestIssuerKeys('https://b.example', [next.verification]),
    ];
    const { verify } = testVerifier([tokenIssuer({ keys: a }), tokenIssuer({ keys: b })]);
    await verify(mintToken({ key: next, claims: { iss: 'https://b.example' } }));
    expect([a.asked, b.asked]).toEqual([0, 1]);
  });

  test.each([false, true])(
    'answers 503 where there are no keys to decide with (asynchronously: %s)',
    async (slow) => {
      const { keys, verify, cache } = setUp();
      Object.assign(keys, { unavailable: true, slow });
      const outcome = Promise.resolve().then(() => verify(mintToken()));
      await Promise.resolve();
      await Promise.resolve();
      keys.release();
      const denial = await outcome.catch((error: unknown) => error);
      expect(denial).toBeInstanceOf(Denial);
      expect(denial).toMatchObject({ code: 'keys_unavailable', details: { retryAfterS: 7 } });
      expect(cache.refusedEntries).toBe(0);
    },
  );

  test('lets errors of no kind we know through, for the pipeline to answer', async () => {
    const { keys, verify } = setUp();
    keys.find = () => {
      throw new TypeError('a bug');
    };
    await expect((async () => verify(mintToken()))()).rejects.toThrow(TypeError);
    keys.find = () => Promise.reject(new TypeError('a bug'));
    await expect(verify(mintToken())).rejects.toThrow(TypeError);
  });

  test('gives no promise where the keys are in hand', () => {
    const { verify } = setUp();
    expect(verify(mintToken())).not.toBeInstanceOf(Promise);
  });

  test('judges times by the clock after a wait', async () => {
    const { keys, verify, clock } = setUp();
    keys.slow = true;
    const waiting = denialOf(() => verify(mintToken({ claims: { exp: NOW_S + 10 } })));
    clock.nowMs += 60_000;
    keys.release();
    expect(await waiting).toBe('expired_token');
  });

  test('verifies a token once, however many Checks wait for it', async () => {
    const { keys, verify } = setUp();
    keys.slow = true;
    const token = mintToken();
    const waiting = Array.from({ length: 50 }, async () => verify(token));
    expect(keys.asked).toBe(1);
    keys.release();
    const verified = await Promise.all(waiting);
    expect(new Set(verified).size).toBe(1);
    expect(keys.asked).toBe(1);
  });

  test('lets a refusal reach every Check that waits, and starts again after it', async () => {
    const { keys, verify } = setUp();
    Object.assign(keys, { slow: true, unavailable: true });
    const token = mintToken();
    const waiting = [verify(token), verify(token)].map((one) => denialOf(() => one));
    keys.release();
    expect(await Promise.all(waiting)).toEqual(['keys_unavailable', 'keys_unavailable']);
    Object.assign(keys, { slow: false, unavailable: false });
    expect(await denialOf(() => verify(token))).toBeUndefined();
  });
});

describe('createTokenVerifier() and tokens that it knows', () => {
  test('gives the same outcome without asking for keys', async () => {
    const { keys, verify, cacheOutcomes } = setUp();
    const token = mintToken();
    const first = await verify(token);
    const second = await verify(token);
    expect(second).toEqual(first);
    expect([isKept(first), isKept(second)]).toEqual([false, true]);
    expect(await verify(token)).toBe(second);
    expect(keys.asked).toBe(1);
    expect(cacheOutcomes).toEqual(['miss', 'hit', 'hit']);
  });

  test('verifies every time where the cache is off, and counts nothing', async () => {
    const keys = new TestIssuerKeys();
    const { verify, cacheOutcomes } = testVerifier([tokenIssuer({ keys })]);
    const token = mintToken();
    await verify(token);
    await verify(token);
    expect(keys.asked).toBe(2);
    expect(cacheOutcomes).toEqual([]);
  });

  test('refuses one once it has expired, and forgets it', async () => {
    const { verify, clock, cache } = setUp();
    const token = mintToken({ claims: { exp: NOW_S + 60 } });
    await verify(token);
    clock.nowMs = (NOW_S + 60) * 1000 + 29_999;
    expect(await denialOf(() => verify(token))).toBeUndefined();
    clock.nowMs += 1;
    expect(await denialOf(() => verify(token))).toBe('expired_token');
    expect(cache.entries).toBe(0);
  });

  test('refuses one when the clock has moved back before nbf, and knows it still later', async () => {
    const { verify, clock, keys } = setUp();
    const token = mintToken({ claims: { nbf: NOW_S } });
    await verify(token);
    clock.nowMs -= 60_000;
    expect(await denialOf(() => verify(token))).toBe('token_not_yet_valid');
    clock.nowMs += 60_000;
    expect(await denialOf(() => verify(token))).toBeUndefined();
    expect(keys.asked).toBe(1);
  });

  test('verifies again when the keys have changed', async () => {
    const { verify, keys, cacheOutcomes } = setUp();
    const token = mintToken();
    await verify(token);
    keys.rotate(es.verification, next.verification);
    expect(await denialOf(() => verify(token))).toBeUndefined();
    keys.rotate(next.verification);
    expect(await denialOf(() => verify(token))).toBe('unknown_key');
    expect(cacheOutcomes).toEqual(['miss', 'stale', 'stale']);
  });

  test('asks again while the keys may not be believed, and not any longer', async () => {
    const { verify, keys, cacheOutcomes } = setUp();
    const token = mintToken();
    await verify(token);
    keys.usable = false;
    keys.unavailable = true;
    expect(await denialOf(() => verify(token))).toBe('keys_unavailable');
    keys.usable = true;
    expect(await denialOf(() => verify(token))).toBeUndefined();
    expect(cacheOutcomes).toEqual(['miss', 'stale', 'hit']);
  });

  test('does not believe what was verified while the keys changed', async () => {
    const { verify, keys } = setUp();
    keys.slow = true;
    const token = mintToken();
    const waiting = verify(token);
    keys.release();
    keys.generation += 1;
    await waiting;
    keys.slow = false;
    keys.set = [];
    expect(await denialOf(() => verify(token))).toBe('unknown_key');
  });
});

describe('createTokenVerifier() after a reload', () => {
  const known = async (over: Parameters<typeof tokenIssuer>[0]) => {
    const { keys, verify, cache } = setUp();
    const token = mintToken();
    await verify(token);
    const reloaded = testVerifier([tokenIssuer({ keys, ...over })], cache);
    return { token, keys, ...reloaded };
  };

  test('knows the tokens of an issuer that stayed the same', async () => {
    const { token, verify, cacheOutcomes } = await known({ audiences: new Set([AUDIENCE]) });
    await verify(token);
    expect(cacheOutcomes).toEqual(['hit']);
  });

  test.each<[string, Parameters<typeof tokenIssuer>[0], string | undefined]>([
    ['audience', { audiences: new Set(['https://other.example.com']) }, 'invalid_audience'],
    ['algorithms', { algorithms: new Set(['RS256'] as const) }, 'unsupported_algorithm'],
    ['longest life', { maxLifetimeMs: 60_000 }, 'token_lifetime_too_long'],
    ['profile', { profile: 'rfc9068' }, undefined],
    ['tolerance', { clockToleranceMs: 1000 }, undefined],
  ])('verifies again under another %s', async (_, over, code) => {
    const { token, verify, cacheOutcomes } = await known(over);
    expect(await denialOf(() => verify(token))).toBe(code);
    expect(cacheOutcomes).toEqual(['stale']);
  });

  test('verifies again under a key set that was created again, whatever its generation', async () => {
    const { token, verify } = await known({ keys: new TestIssuerKeys(ISSUER, [next.verification]) });
    expect(await denialOf(() => verify(token))).toBe('unknown_key');
  });

  test('refuses the tokens of an issuer that is gone', async () => {
    const { token, verify } = await known({ keys: new TestIssuerKeys('https://new.example') });
    expect(await denialOf(() => verify(token))).toBe('untrusted_issuer');
  });
});

describe('createTokenVerifier() and tokens that it refused', () => {
  test.each([
    ['a bad signature', forged],
    ['another audience', () => mintToken({ claims: { aud: 'x' } })],
    ['bad claims', () => mintToken({ claims: { sub: 1 } })],
  ])('refuses %s a second time without verifying it', async (_, mint) => {
    const { verify, keys, cacheOutcomes } = setUp();
    const token = mint();
    const code = await denialOf(() => verify(token));
    expect(await denialOf(() => verify(token))).toBe(code);
    expect(keys.asked).toBe(1);
    expect(cacheOutcomes).toEqual(['miss', 'negative_hit']);
  });

  test.each([
    ['what time heals', () => mintToken({ claims: { nbf: NOW_S + 3600, exp: NOW_S + 7200 } })],
    ['an unknown key', () => mintToken({ header: { kid: 'new' } })],
    ['what costs nothing to find', () => replaceSegment(mintToken(), 0, () => 'x')],
  ])('does not remember %s', async (_, mint) => {
    const { verify, cache } = setUp();
    expect(await denialOf(() => verify(mint()))).toBeDefined();
    expect(cache.refusedEntries).toBe(0);
  });

  test('verifies again when the keys have changed: the right one may have come', async () => {
    const { verify, keys } = setUp();
    const key = createTestKey('ES256');
    const token = mintToken({ key });
    expect(await denialOf(() => verify(token))).toBe('invalid_signature');
    keys.rotate(key.verification);
    expect(await denialOf(() => verify(token))).toBeUndefined();
  });

  test('verifies again after ten seconds, and when the clock has moved back', async () => {
    const { verify, clock, keys } = setUp();
    const token = forged();
    for (const [ms, asked] of [
      [0, 1],
      [9_999, 1],
      [1, 2],
      [-1, 3],
    ] as const) {
      clock.nowMs += ms;
      expect(await denialOf(() => verify(token))).toBe('invalid_signature');
      expect(keys.asked).toBe(asked);
    }
    expect(clock.nowMs).toBe(NOW_MS + 9_999);
  });

  test('drives no good token out, however many there are', async () => {
    const cache = new TokenCache({ maxEntries: 4, maxBytes: 1024 * 1024, maxRefused: 3 });
    const { verify, keys } = setUp(cache);
    const token = mintToken();
    await verify(token);
    for (let i = 0; i < 20; i++) expect(await denialOf(() => verify(forged()))).toBe('invalid_signature');
    expect(cache.refusedEntries).toBe(3);
    const asked = keys.asked;
    await verify(token);
    expect(keys.asked).toBe(asked);
  });
});

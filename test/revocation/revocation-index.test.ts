import { describe, expect, test } from '@jest/globals';
import { RevocationIndex } from '../../src/revocation/revocation-index.js';
import type { Revocation } from '../../src/revocation/revocation.js';
import { hashForRevocation } from '../../src/revocation/token-hash.js';
import type { VerifiedToken } from '../../src/authz/types.js';
import { verifiedToken } from '../authz/contexts.js';
import { ISSUER, mintToken, NOW_MS, NOW_S } from '../support/tokens.js';
import { revocation } from './revocations.js';

const CLAIMS = { jti: 'j1', sid: 's1' };
const TEXT = 'e30.e30.c2ln';

/** A token of the user u with the client c and a session. */
function token(over: Partial<VerifiedToken> = {}): VerifiedToken {
  return verifiedToken({
    issuer: ISSUER,
    claims: CLAIMS,
    subject: 'u',
    clientId: 'c',
    issuedAtS: NOW_S - 60,
    ...over,
  });
}

function indexOf(...revocations: Revocation[]): RevocationIndex {
  const index = new RevocationIndex(NOW_MS);
  for (const one of revocations) index.put(one);
  return index;
}

const beforeNow = { beforeS: NOW_S };
const OTHER = 'https://other.example';

describe('RevocationIndex.isRevoked()', () => {
  test.each<[string, Revocation, Partial<VerifiedToken>, boolean]>([
    ['its jti', revocation({ kind: 'jti', value: 'j1' }), {}, true],
    ['another jti', revocation({ kind: 'jti', value: 'j2' }), {}, false],
    ['its jti at another issuer', revocation({ kind: 'jti', value: 'j1', issuer: OTHER }), {}, false],
    ['a jti, of a token without', revocation({ kind: 'jti', value: 'undefined' }), { claims: {} }, false],
    ['a jti that is a number', revocation({ kind: 'jti', value: '5' }), { claims: { jti: 5 } }, false],
    ['its session', revocation({ kind: 'sid', value: 's1' }), {}, true],
    ['its session and subject', revocation({ kind: 'sid', value: 's1', subject: 'u' }), {}, true],
    ['its session of another subject', revocation({ kind: 'sid', value: 's1', subject: 'v' }), {}, false],
    [
      'a session and subject that only read like its own when joined',
      revocation({ kind: 'sid', value: 's', subject: '1u' }),
      {},
      false,
    ],
    ['its session at another issuer', revocation({ kind: 'sid', value: 's1', issuer: OTHER }), {}, false],
    ['its subject', revocation({ kind: 'sub', value: 'u' }, beforeNow), {}, true],
    [
      'its subject, issued in that second',
      revocation({ kind: 'sub', value: 'u' }, beforeNow),
      { issuedAtS: NOW_S + 0.5 },
      true,
    ],
    [
      'its subject, issued later',
      revocation({ kind: 'sub', value: 'u' }, beforeNow),
      { issuedAtS: NOW_S + 1 },
      false,
    ],
    [
      'its subject, without iat',
      revocation({ kind: 'sub', value: 'u' }, beforeNow),
      { issuedAtS: undefined },
      true,
    ],
    [
      'its subject at another issuer',
      revocation({ kind: 'sub', value: 'u', issuer: OTHER }, beforeNow),
      {},
      false,
    ],
    ['its client', revocation({ kind: 'client', value: 'c' }, beforeNow), {}, true],
    [
      'its client, issued later',
      revocation({ kind: 'client', value: 'c' }, beforeNow),
      { issuedAtS: NOW_S + 1 },
      false,
    ],
    ['a subject named like its client', revocation({ kind: 'sub', value: 'c' }, beforeNow), {}, false],
    ['a session that is over', revocation({ kind: 'sid', value: 's1' }, { heldUntilS: NOW_S }), {}, false],
    ['its text', revocation({ kind: 'token', issuer: '', value: hashForRevocation(TEXT) }), {}, true],
    ['another text', revocation({ kind: 'token', issuer: '', value: hashForRevocation('other') }), {}, false],
    [
      'the jti of a revoked token',
      revocation({ kind: 'token', value: hashForRevocation('other') }, { jti: 'j1' }),
      {},
      true,
    ],
    [
      'the jti of a revoked token of another issuer',
      revocation({ kind: 'token', issuer: OTHER, value: hashForRevocation('other') }, { jti: 'j1' }),
      {},
      false,
    ],
    ['a name that every object has', revocation({ kind: 'sub', value: 'constructor' }), {}, false],
  ])('by %s', (_, entry, over, expected) => {
    expect(indexOf(entry).isRevoked(token(over), TEXT, NOW_MS)).toBe(expected);
  });

  test('holds for every signature over the same JWT, and for no other text of an opaque token', () => {
    const jwt = mintToken();
    const signed = jwt.slice(0, jwt.lastIndexOf('.'));
    const index = indexOf(revocation({ kind: 'token', value: hashForRevocation(jwt) }));
    expect(index.isRevoked(token(), jwt, NOW_MS)).toBe(true);
    expect(index.isRevoked(token(), `${signed}.c2lnbmF0dXJl`, NOW_MS)).toBe(true);
    expect(index.isRevoked(token(), mintToken({ claims: { jti: 'another' } }), NOW_MS)).toBe(false);
    const opaque = indexOf(revocation({ kind: 'token', value: hashForRevocation('abc.def') }));
    expect(opaque.isRevoked(token(), 'abc.def', NOW_MS)).toBe(true);
    expect(opaque.isRevoked(token(), 'abc.deg', NOW_MS)).toBe(false);
  });
});

describe('RevocationIndex', () => {
  test('put() joins two of one target: later end, later before, the first id', () => {
    const first = revocation({ kind: 'sub', value: 'u' }, { beforeS: NOW_S - 10, heldUntilS: NOW_S + 50 });
    const second = revocation({ kind: 'sub', value: 'u' }, { beforeS: NOW_S, heldUntilS: NOW_S + 20 });
    const index = indexOf(first, second);
    expect(index.size).toBe(1);
    expect(index.get(first.id)).toMatchObject({ id: first.id, beforeS: NOW_S, heldUntilS: NOW_S + 50 });
  });

  test('remove() takes back one and leaves its like', () => {
    const byToken = revocation({ kind: 'token', value: 'h' }, { jti: 'j1' });
    const byJti = revocation({ kind: 'jti', value: 'j1' });
    const index = indexOf(byToken, byJti);
    expect(index.remove(byToken.id)?.id).toBe(byToken.id);
    expect(index.isRevoked(token(), TEXT, NOW_MS)).toBe(true);
    index.remove(byJti.id);
    expect(index.isRevoked(token(), TEXT, NOW_MS)).toBe(false);
    expect(index.remove(byJti.id)).toBeUndefined();
    expect(index.size).toBe(0);
  });

  test('sweep() forgets what has ended, a bounded part at a time, and nothing else', () => {
    const index = indexOf(
      ...Array.from({ length: 25 }, (_, i) =>
        revocation({ kind: 'jti', value: `j${i}` }, { heldUntilS: NOW_S + 5 }),
      ),
      revocation({ kind: 'jti', value: 'longer' }, { heldUntilS: NOW_S + 500 }),
    );
    expect(index.sweep(NOW_MS + 1000, 100)).toBe(0);
    expect(index.sweep(NOW_MS + 60_000, 10)).toBe(10);
    expect(index.sweep(NOW_MS + 60_000, 100)).toBe(15);
    expect(index.size).toBe(1);
  });

  test('sweep() keeps one that was prolonged', () => {
    const index = indexOf(
      revocation({ kind: 'jti', value: 'j1' }, { heldUntilS: NOW_S + 5 }),
      revocation({ kind: 'jti', value: 'j1' }, { heldUntilS: NOW_S + 500 }),
    );
    index.sweep(NOW_MS + 60_000, 10);
    expect(index.isRevoked(token(), TEXT, NOW_MS + 60_000)).toBe(true);
  });

  test('sweep() of one that had ended when it came', () => {
    const index = indexOf(revocation({ kind: 'jti', value: 'j1' }, { heldUntilS: NOW_S - 500 }));
    index.sweep(NOW_MS + 60_000, 10);
    expect(index.size).toBe(0);
  });
});

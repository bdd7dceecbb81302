import { describe, expect, test } from '@jest/globals';
import { assertConfirmation } from '../../../src/authz/token/confirmation.js';
import { denialOf } from '../../support/denials.js';

const HASH = Buffer.alloc(32, 9).toString('base64url');

describe('assertConfirmation()', () => {
  test.each([
    ['nothing', undefined, undefined],
    ['a key', { jkt: HASH }, { jkt: HASH }],
    ['a certificate', { 'x5t#S256': HASH }, { x5tS256: HASH }],
    ['both, and both count', { jkt: HASH, 'x5t#S256': HASH }, { jkt: HASH, x5tS256: HASH }],
  ])('reads %s', (_, cnf, confirmation) => {
    expect(assertConfirmation(cnf)).toEqual(confirmation);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['an empty object', {}],
    ['a text', HASH],
    ['a list', [{ jkt: HASH }]],
    ['false', false],
    ['an embedded key', { jwk: { kty: 'EC' } }],
    ['a key identifier', { kid: 'k' }],
    ['an encrypted key', { jwe: 'x' }],
    ['another thumbprint', { 'x5t#S512': HASH }],
    ['a known kind beside an unknown one', { jkt: HASH, kid: 'k' }],
    ['a known kind beside a null', { jkt: HASH, 'x5t#S256': null }],
    ['another case', { JKT: HASH }],
    ['a number', { jkt: 1 }],
    ['a list of thumbprints', { jkt: [HASH] }],
    ['an empty text', { jkt: '' }],
    ['a short thumbprint', { jkt: HASH.slice(1) }],
    ['padding', { jkt: `${HASH}=` }],
    ['spare bits', { jkt: `${HASH.slice(0, 42)}l` }],
    ['a hexadecimal hash', { 'x5t#S256': Buffer.alloc(32, 9).toString('hex') }],
  ])('refuses %s, rather than taking the token as unbound', async (_, cnf) => {
    expect(await denialOf(() => assertConfirmation(cnf))).toBe('unsupported_confirmation');
  });
});

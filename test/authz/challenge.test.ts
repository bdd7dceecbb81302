import { describe, expect, test } from '@jest/globals';
import { challengesOf } from '../../src/authz/challenge.js';
import { Denial } from '../../src/authz/denial.js';

const METADATA = 'https://api.example.com/.well-known/oauth-protected-resource';
const DPOP = { algorithms: ['ES256'] };

describe('challengesOf()', () => {
  test.each([
    ['no credential', new Denial('missing_credential'), undefined, 2],
    ['a bad Bearer token', new Denial('expired_token'), 'bearer', 1],
    ['a bad token under DPoP', new Denial('expired_token'), 'dpop', 1],
    ['too few scopes', new Denial('insufficient_scope', { scope: 'a' }), 'bearer', 1],
  ] as const)(
    '%s: each challenge says where the resource metadata is [operators 8]',
    (_name, denial, scheme, count) => {
      const values = challengesOf(denial, { scheme, dpop: DPOP, resourceMetadata: METADATA }).map(
        ([, value]) => value,
      );
      expect(values).toHaveLength(count);
      for (const value of values) expect(value).toContain(`, resource_metadata="${METADATA}"`);
    },
  );

  test('says nothing of metadata that is not served', () => {
    const [challenge] = challengesOf(new Denial('missing_credential'), {
      scheme: undefined,
      dpop: undefined,
      resourceMetadata: undefined,
    });
    expect(challenge).toEqual(['www-authenticate', 'Bearer realm="portcullis"']);
  });
});

import { describe, expect, test } from '@jest/globals';
import { parseNetwork } from '../../src/http/ip-network.js';

describe('parseNetwork()', () => {
  test.each(['10.0.0.0/8', '192.0.2.1', '::1', 'fd00::/8', '0.0.0.0/0'])('accepts %s', (text) =>
    expect(parseNetwork(text)).toBeDefined(),
  );
  test.each([
    '',
    '10.0.0.0/33',
    '10/8',
    'localhost',
    '10.0.0.0/',
    '::1/129',
    '::ffff:10.0.0.0/104',
    '010.0.0.1',
  ])('refuses %p', (text) => expect(parseNetwork(text)).toBeUndefined());
});

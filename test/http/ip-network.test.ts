import { describe, expect, test } from '@jest/globals';
import { createAddressSet, parseNetwork } from '../../src/http/ip-network.js';

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

describe('createAddressSet()', () => {
  const set = createAddressSet(['10.0.0.0/8', '192.0.2.1', 'fd00::/8', 'not an address']);

  test.each(['10.255.0.1', '192.0.2.1', '::ffff:10.0.0.1', 'fd00::1', 'fd00::1%eth0'])('has %s', (address) =>
    expect(set.has(address)).toBe(true),
  );
  test.each([
    '11.0.0.1',
    '192.0.2.10',
    '::ffff:11.0.0.1',
    'fe80::1',
    '::a00:1',
    '',
    '10.0.0.1, 11.0.0.1',
    '0x0a.1',
  ])('has not %p', (address) => expect(set.has(address)).toBe(false));
  test('holds nobody where it is empty', () => expect(createAddressSet([]).has('127.0.0.1')).toBe(false));
});

import { describe, expect, test } from '@jest/globals';
import { addressesCollide, parseAddress } from '../../src/config/address.js';

describe('parseAddress()', () => {
  test.each([
    ['127.0.0.1:9191', { kind: 'tcp', host: '127.0.0.1', port: 9191 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['[::1]:65535', { kind: 'tcp', host: '::1', port: 65535 }],
    ['gate_1.internal:80', { kind: 'tcp', host: 'gate_1.internal', port: 80 }],
    ['unix:/run/gate.sock', { kind: 'unix', path: '/run/gate.sock' }],
    ['unix:///run/gate.sock', { kind: 'unix', path: '/run/gate.sock' }],
  ])('reads %s', (text, address) => expect(parseAddress(text)).toEqual(address));

  test.each([
    ['no port', '127.0.0.1'],
    ['an empty host', ':9191'],
    ['a port too high', '127.0.0.1:65536'],
    ['a port of five nines', '127.0.0.1:99999'],
    ['a negative port', '127.0.0.1:-1'],
    ['an IPv4 address that is none', '127.0.0.256:1'],
    ['a short IPv4 address', '127.1:1'],
    ['IPv6 without brackets', '::1:9191'],
    ['IPv4 in brackets', '[127.0.0.1]:1'],
    ['a URL', 'http://127.0.0.1:1'],
    ['a blank', '127.0.0.1 :1'],
    ['a relative socket', 'unix:gate.sock'],
    ['two slashes', 'unix://run/gate.sock'],
    ['a folder', 'unix:/run/'],
    ['a socket path too long for the system', `unix:/${'a'.repeat(107)}`],
    ['a NUL', 'unix:/run/\0gate'],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => expect(parseAddress(text)).toBeUndefined());
});

describe('addressesCollide()', () => {
  test.each([
    ['the same', '127.0.0.1:1', '127.0.0.1:1', true],
    ['a wildcard', '0.0.0.0:1', '127.0.0.1:1', true],
    ['the IPv6 wildcard', '127.0.0.1:1', '[::]:1', true],
    ['localhost', 'localhost:1', '127.0.0.1:1', true],
    ['another port', '127.0.0.1:1', '127.0.0.1:2', false],
    ['another host', '127.0.0.1:1', '127.0.0.2:1', false],
    ['ports the system chooses', '127.0.0.1:0', '127.0.0.1:0', false],
    ['the same socket', 'unix:/a', 'unix:///a', true],
    ['another socket', 'unix:/a', 'unix:/b', false],
    ['a socket and a port', 'unix:/a', '127.0.0.1:1', false],
  ])('%s', (_name, a, b, expected) =>
    expect(addressesCollide(parseAddress(a)!, parseAddress(b)!)).toBe(expected),
  );
});

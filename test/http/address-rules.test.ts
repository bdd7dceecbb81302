import { describe, expect, test } from '@jest/globals';
import { forbiddenAddressReason, isLoopbackAddress, isLoopbackHost } from '../../src/http/address-rules.js';

describe('forbiddenAddressReason()', () => {
  test.each([
    ['metadata of most clouds', '169.254.169.254', 'link_local'],
    ['ECS credentials', '169.254.170.2', 'link_local'],
    ['link-local', '169.254.0.1', 'link_local'],
    ['Alibaba metadata', '100.100.100.200', 'metadata'],
    ['Oracle metadata', '192.0.0.192', 'metadata'],
    ['Azure wire server', '168.63.129.16', 'metadata'],
    ['unspecified', '0.0.0.0', 'unspecified'],
    ['this network', '0.1.2.3', 'unspecified'],
    ['multicast', '224.0.0.1', 'multicast'],
    ['reserved', '240.0.0.1', 'reserved'],
    ['broadcast', '255.255.255.255', 'reserved'],
    ['IPv6 unspecified', '::', 'unspecified'],
    ['IPv6 link-local', 'fe80::1', 'link_local'],
    ['IPv6 link-local at the end of its range', 'febf::1', 'link_local'],
    ['IPv6 link-local with a zone', 'fe80::1%eth0', 'link_local'],
    ['IPv6 site-local', 'fec0::1', 'link_local'],
    ['IPv6 multicast', 'ff02::1', 'multicast'],
    ['AWS metadata', 'fd00:ec2::254', 'metadata'],
    ['AWS pod identity', 'fd00:ec2::23', 'metadata'],
    ['Google metadata', 'fd20:ce::254', 'metadata'],
    ['IPv4-mapped', '::ffff:169.254.169.254', 'link_local'],
    ['IPv4-mapped in hexadecimal', '::ffff:a9fe:a9fe', 'link_local'],
    ['IPv4-mapped unspecified', '::ffff:0.0.0.0', 'unspecified'],
    ['IPv4-translated', '::ffff:0:169.254.169.254', 'link_local'],
    ['IPv4-compatible', '::169.254.169.254', 'link_local'],
    ['NAT64', '64:ff9b::169.254.169.254', 'link_local'],
    ['NAT64 of local use', '64:ff9b:1::a9fe:a9fe', 'transition'],
    ['6to4', '2002:a9fe:a9fe::1', 'link_local'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2', 'transition'],
    ['empty', '', 'invalid'],
    ['a name', 'localhost', 'invalid'],
    ['decimal', '2852039166', 'invalid'],
    ['octal', '0251.0376.0251.0376', 'invalid'],
    ['short', '169.254.43518', 'invalid'],
  ])('refuses %s', (_name, address, reason) => {
    expect(forbiddenAddressReason(address)).toBe(reason);
  });

  test.each([
    ['public IPv4', '93.184.216.34'],
    ['public IPv6', '2606:2800:220:1:248:1893:25c8:1946'],
    ['private 10/8, for issuers in the cluster', '10.1.2.3'],
    ['private 172.16/12', '172.16.0.1'],
    ['private 192.168/16', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['unique local', 'fd12:3456::1'],
    ['loopback', '127.0.0.1'],
    ['IPv6 loopback', '::1'],
    ['IPv4-mapped public', '::ffff:93.184.216.34'],
    ['NAT64 of a public address', '64:ff9b::93.184.216.34'],
  ])('lets %s pass', (_name, address) => {
    expect(forbiddenAddressReason(address)).toBeUndefined();
  });
});

describe('isLoopbackAddress()', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['::ffff:127.0.0.1', false],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['localhost', false],
  ])('of %s is %s', (address, expected) => {
    expect(isLoopbackAddress(address)).toBe(expected);
  });
});

describe('isLoopbackHost()', () => {
  test.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['[::1]', true],
    ['localhost.example.com', false],
    ['127.0.0.1.nip.io', false],
    ['sub.localhost', false],
    ['10.0.0.1', false],
  ])('of %s is %s', (hostname, expected) => {
    expect(isLoopbackHost(hostname)).toBe(expected);
  });
});

import { describe, expect, test } from '@jest/globals';
import { normalizeHost, parseHostPattern } from '../../src/authz/host.js';

describe('normalizeHost()', () => {
  test.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM', 'api.example.com'],
    ['api.example.com:8443', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['api.example.com.:443', 'api.example.com'],
    ['api.example.com:', 'api.example.com'],
    ['my_service', 'my_service'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
  ])('reads %s as %s', (host, normal) => {
    expect(normalizeHost(host)).toBe(normal);
  });

  test.each([
    ['empty', ''],
    ['joined by a comma', 'a.example.com,b.example.com'],
    ['user information', 'a@b'],
    ['a path', 'a/b'],
    ['an empty label', 'a..b'],
    ['two final dots', 'a..'],
    ['a leading dot', '.a'],
    ['a space', 'a b'],
    ['percent-encoding', '%61.example.com'],
    ['an invalid port', 'a:b'],
    ['two ports', 'a:1:2'],
    ['a letter that lower-cases to ASCII', '\u212a.example.com'],
    ['non-ASCII', 'b\u00fccher.example'],
    ['an open bracket', '[::1'],
    ['too long', 'a'.repeat(300)],
    ['a star', '*'],
  ])('refuses %s', (_, host) => {
    expect(normalizeHost(host)).toBeUndefined();
  });
});

describe('parseHostPattern()', () => {
  test.each([
    ['*', { kind: 'any' }],
    ['API.example.com.', { kind: 'exact', host: 'api.example.com' }],
    ['*.Example.com', { kind: 'suffix', host: '.example.com' }],
    ['*.', undefined],
    ['a.*.com', undefined],
    ['**.a', undefined],
    ['', undefined],
  ])('parses %s', (text, pattern) => {
    expect(parseHostPattern(text)).toEqual(pattern);
  });
});

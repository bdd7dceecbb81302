import { describe, expect, test } from '@jest/globals';
import { describeUrl, parseFetchUrl } from '../../src/http/url-rules.js';

describe('parseFetchUrl()', () => {
  test.each([
    ['nothing', '', 'invalid_url'],
    ['a relative URL', '/jwks', 'invalid_url'],
    ['a URL without end', `https://a.example/${'a'.repeat(3000)}`, 'invalid_url'],
    ['a file', 'file:///etc/passwd', 'forbidden_scheme'],
    ['data', 'data:application/json,{}', 'forbidden_scheme'],
    ['gopher', 'gopher://a.example/', 'forbidden_scheme'],
    ['a unix socket', 'unix:/var/run/docker.sock', 'forbidden_scheme'],
    ['user information', 'https://user:pass@a.example/', 'invalid_url'],
    ['a user alone', 'https://user@a.example/', 'invalid_url'],
    ['http to a public host', 'http://a.example/jwks', 'forbidden_scheme'],
    ['http to a private address', 'http://10.0.0.1/jwks', 'forbidden_scheme'],
    ['http to a name that looks like the loopback', 'http://localhost.example.com/', 'forbidden_scheme'],
    ['http to a mapped loopback', 'http://[::ffff:127.0.0.1]/', 'forbidden_scheme'],
    ['the metadata address', 'https://169.254.169.254/latest', 'forbidden_address'],
    ['the metadata address as a number', 'https://2852039166/', 'forbidden_address'],
    ['the metadata address in hexadecimal', 'https://0xa9fea9fe/', 'forbidden_address'],
    ['the metadata address in octal', 'https://0251.0376.0251.0376/', 'forbidden_address'],
    ['the metadata address, mapped', 'https://[::ffff:169.254.169.254]/', 'forbidden_address'],
    ['the metadata address with full-width digits', 'https://１６９.254.169.254/', 'forbidden_address'],
    ['the unspecified address', 'https://0/', 'forbidden_address'],
    ['AWS metadata over IPv6', 'https://[fd00:ec2::254]/', 'forbidden_address'],
  ])('refuses %s', (_name, url, code) => {
    expect(() => parseFetchUrl(url, { allowHttp: false })).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ['https', 'https://a.example/jwks', false],
    ['https to a private address', 'https://10.0.0.1/jwks', false],
    ['http to localhost', 'http://localhost:8080/jwks', false],
    ['http to 127/8', 'http://127.1.2.3:8080/jwks', false],
    ['http to ::1', 'http://[::1]:8080/jwks', false],
    ['http to any host with allowHttp', 'http://keycloak:8080/jwks', true],
  ])('takes %s', (_name, url, allowHttp) => {
    expect(parseFetchUrl(url, { allowHttp }).href).toBe(url);
  });

  test('refuses the metadata address with allowHttp too', () => {
    expect(() => parseFetchUrl('http://169.254.169.254/latest', { allowHttp: true })).toThrow(/link_local/);
  });

  test('keeps user information and query out of messages', () => {
    expect.assertions(2);
    try {
      parseFetchUrl('https://user:hunter2@a.example/p?secret=hunter3', { allowHttp: false });
    } catch (error) {
      expect(String(error)).toContain('https://a.example/p');
      expect(String(error)).not.toMatch(/hunter/);
    }
  });
});

describe('describeUrl()', () => {
  test('names origin and path only', () => {
    expect(describeUrl(new URL('https://u:p@a.example:8443/x?y=z#f'))).toBe('https://a.example:8443/x');
  });
});

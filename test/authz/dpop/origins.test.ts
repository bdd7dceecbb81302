import { describe, expect, test } from '@jest/globals';
import { createOriginsOfHost, parseHost, parseOrigin } from '../../../src/authz/dpop/origins.js';
import { codeOf } from '../../support/proofs.js';
import { readVectors } from '../../support/vectors.js';

const vectors = readVectors('htu-normalisation') as {
  reject_host_header: string[];
  accept_host_header: string[];
};

describe('parseHost()', () => {
  test.each(vectors.accept_host_header)('"%s" is a host', (host) => expect(parseHost(host)).toBeDefined());
  test.each(vectors.reject_host_header)('"%s" is refused', (host) => expect(parseHost(host)).toBeUndefined());

  test.each([
    ['an empty port', 'a.example:'],
    ['two ports', 'a.example:1:2'],
    ['port 0', 'a.example:0'],
    ['a port in other digits', 'a.example:４４３'],
    ['a leading dot', '.a.example'],
    ['an empty label', 'a..example'],
    ['a name beyond ASCII', 'bücher.de'],
    ['a zone', '[fe80::1%eth0]'],
    ['an open bracket', '[::1'],
    ['something behind the bracket', '[::1]x'],
    ['IPv6 without brackets', '::1'],
    ['IPv4 in brackets', '[127.0.0.1]'],
    ['percent-encoding', 'a%2fb.example'],
    ['a backslash', 'a\\b'],
    ['a line break', 'a.example\n'],
    ['255 characters', 'a'.repeat(255)],
  ])('%s is refused', (_, host) => expect(parseHost(host)).toBeUndefined());

  test('keeps a final dot, and lowers the case', () => {
    expect(parseHost('API.Example.COM.:8443')).toEqual({ host: 'api.example.com.', port: 8443 });
  });
});

describe('parseOrigin()', () => {
  test.each([
    ['https://api.example.com', 'https://api.example.com'],
    ['HTTPS://API.example.com:443/', 'https://api.example.com'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['https://[::1]:443', 'https://[::1]'],
  ])('%s is %s', (text, origin) => expect(parseOrigin(text)).toBe(origin));

  test.each([
    'api.example.com',
    'https://a.example/v1',
    'https://u@a.example',
    'ws://a.example',
    'https://*.a.example',
    '',
  ])('"%s" is refused', (text) => expect(parseOrigin(text)).toBeUndefined());
});

describe('createOriginsOfHost() without origins', () => {
  const originsOf = createOriginsOfHost([]);

  test.each([
    ['api.example.com', 'https://api.example.com'],
    ['API.example.com:443', 'https://api.example.com'],
    ['api.example.com:80', 'https://api.example.com:80'],
    ['example.com.', 'https://example.com.'],
    ['localhost', 'http://localhost'],
    ['localhost:8080', 'http://localhost:8080'],
    ['127.0.0.1:80', 'http://127.0.0.1'],
    ['127.9.9.9', 'http://127.9.9.9'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['127.0.0.1.evil.example', 'https://127.0.0.1.evil.example'],
    ['localhost.evil.example', 'https://localhost.evil.example'],
  ])('Host %s is %s', (host, origin) => expect(originsOf(host)).toEqual([origin]));

  test.each(vectors.reject_host_header)('Host "%s" is 400', (host) =>
    expect(codeOf(() => originsOf(host))).toBe('invalid_host'),
  );
});

describe('createOriginsOfHost() with origins', () => {
  const originsOf = createOriginsOfHost([
    'https://api.example.com',
    'https://api.example.com:8443',
    'http://plain.example:8080',
    'http://both.example',
    'https://both.example',
  ]);

  test.each([
    ['the name alone is the default port', 'api.example.com', ['https://api.example.com']],
    ['case does not matter', 'API.example.com', ['https://api.example.com']],
    ['the default port may be written', 'api.example.com:443', ['https://api.example.com']],
    ['another port is another origin', 'api.example.com:8443', ['https://api.example.com:8443']],
    ['the scheme is the configured one', 'plain.example:8080', ['http://plain.example:8080']],
    ['a proxy may have dropped the port', 'plain.example', ['http://plain.example:8080']],
    ['one host, two schemes', 'both.example', ['http://both.example', 'https://both.example']],
    ['one host, two schemes, a port', 'both.example:80', ['http://both.example']],
    ['a port that is not configured', 'api.example.com:9000', []],
    ['a host that is not configured', 'evil.example', []],
    ['a final dot is another name', 'api.example.com.', []],
    ['a subdomain is another name', 'x.api.example.com', []],
  ])('%s', (_, host, origins) => expect(originsOf(host)).toEqual(origins));

  test.each(vectors.reject_host_header)('Host "%s" is 400', (host) =>
    expect(codeOf(() => originsOf(host))).toBe('invalid_host'),
  );

  test('refuses a configuration that is no origin', () => {
    expect(() => createOriginsOfHost(['https://a.example/v1'])).toThrow(TypeError);
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isTarget, normalizePath, normalizeTargetUri } from '../../../src/authz/dpop/target-uri.js';
import { readVectors } from '../../support/vectors.js';

const vectors = readVectors('htu-normalisation') as {
  normalise: [string, string][];
  must_differ: [string, string][];
  reject_htu: unknown[];
};

describe('normalizeTargetUri() follows the public vectors', () => {
  const equal = vectors.normalise
    .filter(([uri]) => !uri.includes('@'))
    .map(([uri, normal]) => [uri, normal.split(' ')[0]] as const);

  test.each(equal)('%s is %s', (uri, normal) => expect(normalizeTargetUri(uri)).toBe(normal));

  const withUser = vectors.normalise.filter(([uri]) => uri.includes('@'));
  test.each(withUser)('%s is refused for its user information', (uri) =>
    expect(normalizeTargetUri(uri)).toBeUndefined(),
  );

  test.each(vectors.must_differ)('%s differs from %s', (one, other) => {
    expect(normalizeTargetUri(one)).toBeDefined();
    expect(normalizeTargetUri(one)).not.toBe(normalizeTargetUri(other));
  });

  const texts = vectors.reject_htu.filter((htu) => typeof htu === 'string');
  test.each(texts)('"%s" is refused', (uri) => expect(normalizeTargetUri(uri)).toBeUndefined());
});

describe('normalizeTargetUri()', () => {
  test.each([
    ['an empty path becomes a slash', 'https://api.example.com', 'https://api.example.com/'],
    ['an empty path before a query too', 'https://api.example.com?x=1', 'https://api.example.com/'],
    ['an empty port is the default one', 'https://api.example.com:/a', 'https://api.example.com/a'],
    ['443 is not the default port of http', 'http://a.example:443/', 'http://a.example:443/'],
    ['IPv6 in its shortest form', 'https://[2001:DB8:0:0::1]/a', 'https://[2001:db8::1]/a'],
    ['dot segments above the root', 'https://a.example/../../a', 'https://a.example/a'],
    ['a final dot segment leaves a slash', 'https://a.example/a/b/..', 'https://a.example/a/'],
    ['what is encoded twice is decoded never', 'https://a.example/%2561', 'https://a.example/%2561'],
    ['characters beyond ASCII are encoded', 'https://a.example/ü', 'https://a.example/%C3%BC'],
    ['a query may hold slashes and at signs', 'https://a.example/a?u=http://b@c/', 'https://a.example/a'],
  ])('%s', (_, uri, normal) => expect(normalizeTargetUri(uri)).toBe(normal));

  test.each([
    ['another scheme', 'ftp://a.example/a'],
    ['a scheme in front', 'javascript:https://a.example/a'],
    ['no host', 'https:///a'],
    ['one slash', 'https:/a.example/a'],
    ['port 0', 'https://a.example:0/a'],
    ['a port with a sign', 'https://a.example:+443/a'],
    ['a port beyond 65535', 'https://a.example:65536/a'],
    ['a backslash', 'https://a.example\\@b.example/a'],
    ['a space', 'https://a.example/a b'],
    ['a line break that some parsers drop', 'https://a.exa\nmple/a'],
    ['a tab', 'https://a.example/\ta'],
    ['bad percent-encoding', 'https://a.example/%zz'],
    ['percent-encoding in the host', 'https://a%2eexample/a'],
    ['an empty label', 'https://a..example/a'],
    ['a lone surrogate', 'https://a.example/\ud800'],
    ['a name that IDNA does not know', 'https://a／b.example/a'],
    ['a zone in an IPv6 address', 'https://[fe80::1%25eth0]/a'],
    ['more than its bound', `https://a.example/${'a'.repeat(9000)}`],
  ])('%s is refused', (_, uri) => expect(normalizeTargetUri(uri)).toBeUndefined());

  test('is its own normal form', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (uri) => {
        const normal = normalizeTargetUri(uri);
        if (normal !== undefined) expect(normalizeTargetUri(normal)).toBe(normal);
      }),
    );
  });

  test('agrees with the URLs that clients build', () => {
    fc.assert(
      fc.property(fc.webUrl(), (uri) => {
        const { href } = new URL(uri);
        expect(normalizeTargetUri(href)).toBe(normalizeTargetUri(uri));
      }),
    );
  });

  test('answers whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void normalizeTargetUri(`https://${text}`)),
    );
  });
});

describe('normalizePath()', () => {
  test.each([
    ['/a/b', '/a/b'],
    ['/', '/'],
    ['/a//b', '/a//b'],
    ['/a/./b', '/a/b'],
    ['/a/%2E%2e/b', '/b'],
    ['/%7euser', '/~user'],
    ['/a%2fb', '/a%2Fb'],
    ['/a|b', '/a|b'],
    ['/.well-known/x', '/.well-known/x'],
    ['/..a/b', '/..a/b'],
    ['//api.example.com/a', '//api.example.com/a'],
  ])('%s is %s', (path, normal) => expect(normalizePath(path)).toBe(normal));

  test.each(['', '*', 'a', 'http://a.example/a', '/a%2', '/a\\b', '/a b', '/\0'])('"%s" is refused', (path) =>
    expect(normalizePath(path)).toBeUndefined(),
  );
});

describe('isTarget()', () => {
  const origins = ['https://api.example.com'];

  test.each([
    ['the target in normal form', 'https://api.example.com/a', '/a'],
    ['another spelling of it', 'HTTPS://API.example.com:443/x/../%61?q#f', '/a'],
    ['a request in another spelling', 'https://api.example.com/a', '/x/../%61'],
  ])('%s', (_, htu, path) => expect(isTarget(htu, origins, path)).toBe(true));

  test.each([
    ['another path', 'https://api.example.com/b', '/a'],
    ['another host', 'https://evil.example/a', '/a'],
    ['no origin at all', 'https://api.example.com/a', '/a', []],
    ['a path that looks like an authority', 'https://api.example.com//evil.example/a', '/evil.example/a'],
    ['an asterisk', 'https://api.example.com/*', '*'],
    ['CONNECT, which has no path', 'https://api.example.com/', ''],
    ['a request that is no URI, spelled alike', 'https://api.example.com/%zz', '/%zz'],
  ])('%s is not it', (_, htu, path, known: readonly string[] = origins) =>
    expect(isTarget(htu, known, path)).toBe(false),
  );

  test('a path never becomes part of a host, nor of a query', () => {
    // The stolen proof of a known attack: Host "resource.com/intended?" and path "/target".
    expect(isTarget('https://resource.com/intended', ['https://resource.com'], '/target')).toBe(false);
    expect(isTarget('https://api.example.com/a', origins, '/a?x')).toBe(false);
  });
});

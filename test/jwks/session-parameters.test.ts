import { describe, expect, test } from '@jest/globals';
import { parseSessionParameters, SessionParametersError } from '../../src/jwks/session-parameters.js';

describe('parseSessionParameters()', () => {
  test.each([
    [
      'YAML',
      'tenant: acme\nlimit: 5\nflags: [a, true, null]\nnested: { x: 1.5 }\n',
      { tenant: 'acme', limit: 5, flags: ['a', true, null], nested: { x: 1.5 } },
    ],
    ['JSON', '{"tenant":"acme"}', { tenant: 'acme' }],
    ['nothing', '', {}],
    ['a comment alone', '# nothing yet\n', {}],
    ['words that YAML 1.1 took for booleans', 'a: yes\nb: on\n', { a: 'yes', b: 'on' }],
    ['__proto__ as a plain name', '__proto__: 1\n', JSON.parse('{"__proto__":1}')],
  ])('reads %s', (_name, text, expected) => {
    expect(JSON.parse(JSON.stringify(parseSessionParameters(text)))).toEqual(expected);
  });

  test('returns frozen objects that inherit nothing', () => {
    const session = parseSessionParameters('a: { b: [1] }\n');
    expect(Object.getPrototypeOf(session)).toBeNull();
    expect(Object.isFrozen(session) && Object.isFrozen(session.a)).toBe(true);
    expect('constructor' in session).toBe(false);
  });

  test.each([
    ['a list', '- a\n'],
    ['a text', 'hello\n'],
    ['a key given twice', 'a: 1\na: 2\n'],
    ['a key that is no text', '1: a\n'],
    ['an infinite number', 'a: .inf\n'],
    ['not a number', 'a: .nan\n'],
    ['a tag', 'a: !!binary aGk=\n'],
    ['an alias', 'a: &x 1\nb: *x\n'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
    ['broken YAML', 'a: [1\n'],
    ['too deep a flow', `a: ${'['.repeat(30_000)}`],
    ['too deep a block', `a:\n  ${'- '.repeat(30_000)}1`],
    ['too many values', `a: [${'1,'.repeat(2000)}]`],
  ])('refuses %s', (_name, text) => {
    expect(() => parseSessionParameters(text)).toThrow(SessionParametersError);
  });
});
